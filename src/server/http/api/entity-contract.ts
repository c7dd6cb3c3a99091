/** What the JSON API answers about entities. */
import { z } from 'zod';
import { rowSchema } from './contract.ts';

const time = z.iso.datetime();
const count = z.int().min(0);

export const entityRowSchema = z.strictObject({
  id: z.string().describe('@name@key'),
  name: z.string(),
  key: z.string(),
  statePreview: z.string().optional().describe('Its first 200 characters; absent: no state'),
  stateBytes: count.optional(),
  backlog: count.describe('Messages that wait, those in flight included'),
  lockedBy: z.string().optional().describe('The orchestration that holds its lock'),
  modifiedAt: time,
});

export const entityPageSchema = z.strictObject({
  items: z.array(entityRowSchema),
  next: z.string().optional().describe('Cursor of the page behind this one'),
  asOf: time,
});

export const entitySchema = z.strictObject({
  entity: entityRowSchema,
  owner: rowSchema.optional().describe('The orchestration that holds its lock'),
  asOf: time,
});

export const signalledSchema = z.strictObject({ acceptedAt: time });

export const cleanedSchema = z.strictObject({
  locksReleased: count,
  next: z.string().optional().describe('Pass as `cursor` to go on; absent: all is done'),
});

export type EntityRowJson = z.infer<typeof entityRowSchema>;
export type EntityPageJson = z.infer<typeof entityPageSchema>;
export type EntityJson = z.infer<typeof entitySchema>;
export type CleanedJson = z.infer<typeof cleanedSchema>;
