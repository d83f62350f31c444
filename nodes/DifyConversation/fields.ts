/** Fields of Dify Conversation. */
import type { FieldTable } from '../../lib/fields/field';
import { conversationField, userField } from '../shared/dify/common-fields';

/** A conversation of a user. */
export const conversationFields = {
	user: userField,
	conversationId: conversationField,
} as const satisfies FieldTable;

/** For requests in which a language model generates a name or questions. */
export const MODEL_TIMEOUT_MS = 120_000;
