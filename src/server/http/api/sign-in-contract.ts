/** The part of the API's contract that says who asks, and how to sign in. */
import { z } from 'zod';

export const signInSchema = z.strictObject({
  isRequired: z.boolean().describe('False: everybody may do everything'),
  client: z
    .strictObject({
      issuer: z.string(),
      clientId: z.string(),
      scopes: z.array(z.string()),
      authorizationEndpoint: z.string(),
      tokenEndpoint: z.string(),
    })
    .optional()
    .describe('Absent: people bring a token of their own'),
});
export type SignInJson = z.infer<typeof signInSchema>;

export const meSchema = z.strictObject({
  caller: z
    .strictObject({
      name: z.string(),
      principal: z.string(),
      issuer: z.string(),
      expiresAt: z.string().describe('Until when the token counts'),
    })
    .optional()
    .describe('Absent where nobody is asked who they are'),
  hubs: z.array(
    z.strictObject({
      name: z.string(),
      canRead: z.boolean(),
      canWrite: z.boolean(),
      canWork: z.boolean(),
    }),
  ),
  scheduler: z.strictObject({ canInspect: z.boolean(), canManage: z.boolean() }),
});
export type MeJson = z.infer<typeof meSchema>;
