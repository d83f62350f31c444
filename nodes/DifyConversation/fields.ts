/** Fields of Dify Conversation. */
import type { INodeProperties } from 'n8n-workflow';
import { conversationField } from '../shared/dify/dify-fields';
import { userField } from '../shared/dify/dify-user';

/** A conversation of a user. */
export const conversationFields: INodeProperties[] = [
	userField,
	conversationField({ required: true }),
];

/** For requests in which a language model generates a name or questions. */
export const MODEL_TIMEOUT_MS = 120_000;
