import Module from 'node:module';

const CORE = '@azure/functions-core';

/**
 * Makes `require('@azure/functions-core')` return `core` from every CommonJS module of this
 * process, as the worker does; no package of that name exists. ES modules reach it too, since the
 * library that asks for it is CommonJS. Must run before the app loads: the library remembers what
 * its first look-up found.
 */
export function installCore(core: object): void {
  const prototype: { require: (this: Module, id: string) => unknown } = Module.prototype;
  prototype.require = new Proxy(prototype.require, {
    apply: (target, self, args: unknown[]): unknown =>
      args[0] === CORE ? core : Reflect.apply(target, self, args),
  });
}
