/**
 * The shapes that cross the line between the host and `@azure/functions`: what the library gets
 * from `require('@azure/functions-core')`. Names and fields are the Node worker's.
 */

export type CoreLogLevel =
  'trace' | 'debug' | 'information' | 'warning' | 'error' | 'critical' | 'none';
export type CoreLogCategory = 'user' | 'system' | 'customMetric';

/** A value on its way in or out: exactly one of the fields is there. */
export interface TypedData {
  string?: string | null;
  json?: string | null;
  bytes?: Uint8Array | null;
  stream?: Uint8Array | null;
  http?: HttpData | null;
  int?: number | null;
  double?: number | null;
}

interface Wrapped<T> {
  value?: T | null;
}

export interface HttpData {
  method?: string;
  url?: string;
  nullableHeaders?: Record<string, Wrapped<string>>;
  nullableQuery?: Record<string, Wrapped<string>>;
  nullableParams?: Record<string, Wrapped<string>>;
  headers?: Record<string, string>;
  statusCode?: string;
  cookies?: CookieData[];
  body?: TypedData | null;
}

export interface CookieData {
  name: string;
  value: string;
  domain?: Wrapped<string>;
  path?: Wrapped<string>;
  expires?: Wrapped<{ seconds: number }>;
  secure?: Wrapped<boolean>;
  httpOnly?: Wrapped<boolean>;
  /** `none` means that it is not set; `explicitNone` is the browser's `None`. */
  sameSite?: 'none' | 'lax' | 'strict' | 'explicitNone';
  maxAge?: Wrapped<number>;
}

export interface BindingInfo {
  type?: string;
  direction?: string;
  [property: string]: unknown;
}

export interface FunctionMetadata {
  name: string;
  functionId?: string;
  bindings: Record<string, BindingInfo>;
  retryOptions?: RetryOptions | undefined;
}

export interface RetryOptions {
  retryStrategy?: string;
  /** -1 means for ever. */
  maxRetryCount?: number;
  delayInterval?: { seconds?: number };
  minimumInterval?: { seconds?: number };
  maximumInterval?: { seconds?: number };
}

export interface RetryContext {
  retryCount: number;
  maxRetryCount: number;
  exception: { message: string };
}

export type FunctionCallback = (...inputs: unknown[]) => unknown;

export interface CoreInvocationContext {
  invocationId: string;
  request: {
    invocationId: string;
    functionId: string;
    inputData: { name: string; data: TypedData }[];
    triggerMetadata: Record<string, TypedData>;
    traceContext: {
      traceParent: string;
      traceState: string;
      attributes: Record<string, string>;
    };
    retryContext?: RetryContext | undefined;
  };
  metadata: FunctionMetadata;
  state?: 'preInvocationHooks' | 'invocation' | 'postInvocationHooks';
  log(level: CoreLogLevel, category: CoreLogCategory, message: string): void;
}

export interface InvocationResponse {
  invocationId?: string;
  outputData?: { name: string; data: TypedData }[];
  returnValue?: TypedData | null;
}

export interface InvocationModel {
  getArguments(): Promise<{ context: unknown; inputs: unknown[] }>;
  invokeFunction(context: unknown, inputs: unknown[], callback: FunctionCallback): Promise<unknown>;
  getResponse(context: unknown, result: unknown): Promise<InvocationResponse>;
}

export interface ProgrammingModel {
  name: string;
  version: string;
  getInvocationModel(context: CoreInvocationContext): InvocationModel;
  getCapabilities(
    capabilities: Record<string, string>,
  ): Record<string, string> | Promise<Record<string, string>>;
}

export const HOOK_NAMES = [
  'appStart',
  'appTerminate',
  'preInvocation',
  'postInvocation',
  'log',
] as const;
export type HookName = (typeof HOOK_NAMES)[number];
export type HookCallback = (context: Record<string, unknown>) => unknown;
