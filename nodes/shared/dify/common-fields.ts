/** Fields that the Dify nodes share, and the values that need more than the field. */
import type {
	FieldTable,
	LocatorField,
	NameField,
	SwitchField,
	ValueSource,
	Values,
} from '../../../lib/fields/field';
import { toName } from '../../../lib/fields/check-value';
import { createFieldError } from '../../../lib/fields/field-errors';
import { resolveUser, toSessionUser } from '../../../lib/dify/default-user';
import { parseUser, parseUuid } from '../../../lib/dify/ids';
import { isUnset } from '../../../lib/values/records';
import { ID_EXAMPLE } from '../fields/to-properties';
import type { ItemSource } from '../fields/item-source';

/** A field with an ID of Dify, checked. */
export type WithId<F> = F & {
	/** @throws {ServerError} of type `invalidId` if the field is empty or has another value */
	parse(value: unknown, source: ValueSource): string;
};

function createIdParser(emptySuggestion?: string): WithId<object>['parse'] {
	return (value, { label }) =>
		parseUuid(value, `${label.toLowerCase().replace(/ id$/, '')} ID`, { emptySuggestion });
}

/** The `parse` of a field with an ID, which its label names. */
export const parseId: WithId<object>['parse'] = createIdParser();

/** A conversation, from the list of the user or by ID. */
export const conversationLocator = {
	kind: 'locator',
	label: 'Conversation',
	search: 'searchConversations',
} as const satisfies LocatorField;

/** The same, for operations that need one. */
export const conversationField = {
	...conversationLocator,
	required: true,
	parse: parseId,
} as const satisfies LocatorField;

const parseMessageId = createIdParser(
	'Add this node after Dify Chat Message, and drag the field messageId of its output to Message ID. If other nodes are in between, drag it from the Dify Chat Message node itself.',
);

/** A message, by the ID that Dify Chat Message returns. */
export function messageIdField(description: string): WithId<NameField> {
	return {
		kind: 'name',
		label: 'Message ID',
		default: '={{ $json.messageId }}',
		required: true,
		placeholder: ID_EXAMPLE,
		description,
		parse: parseMessageId,
	};
}

/** "Return All" and "Limit". */
export const pagingFields = {
	returnAll: {
		kind: 'switch',
		label: 'Return All',
		default: false,
		description: 'Whether to return all results or only up to a given limit',
	},
	limit: {
		kind: 'number',
		label: 'Limit',
		default: 50,
		range: [1],
		isInteger: true,
		shownIf: { returnAll: [false] },
		description: 'Max number of results to return',
	},
} as const satisfies FieldTable;

/** The number of results that these fields ask for. */
export function toLimit({ limit = Infinity }: Pick<Values<typeof pagingFields>, 'limit'>): number {
	return limit;
}

/** Bytes: the web server of Dify accepts as much in the first line of a request by default (Gunicorn: limit_request_line). */
const MAX_KEYWORD_BYTES = 4_000;

/** The `parse` of a field with a part of the names or texts to search for, which is sent in the URL. Empty for all. */
export function parseKeyword(value: unknown, source: ValueSource): string {
	const keyword = toName(source, value);
	if (encodeURIComponent(keyword.toWellFormed()).length <= MAX_KEYWORD_BYTES) return keyword;
	throw createFieldError(
		source,
		'is too long for a search',
		'Shorten it to a few words, because it is sent in the URL of the request.',
	);
}

export const simplifyField = {
	kind: 'switch',
	label: 'Simplify',
	default: true,
	description: 'Whether to return a simplified version of the response instead of the raw data',
} as const satisfies SwitchField;

export const DEFAULT_USER =
	'If empty: the session of the Chat Trigger, otherwise the "user" of the item, otherwise this workflow.';

export const SAME_USER = `so use the same value in all Dify nodes. ${DEFAULT_USER} Dify does not verify the value.`;

/** What the field User says. */
export type UserChoice =
	/** Left empty: the user of the item applies. */
	| { type: 'default' }
	/** Not checked yet. */
	| { type: 'entered'; value: unknown };

/** The user that owns the data in Dify. */
export const userField = {
	kind: 'name',
	label: 'User',
	placeholder: 'e.g. user-42',
	description: `The user who sends the request. Dify keeps the conversations, messages, files and ratings of different users apart, ${SAME_USER}`,
	// An expression without a result is a mistake: the default user would own what belongs to another.
	parse: (value: unknown, { isExpression }: ValueSource): UserChoice =>
		typeof value === 'string' && value.trim() === '' && !isExpression
			? { type: 'default' }
			: { type: 'entered', value },
} as const satisfies NameField;

/** A value of this field. */
export interface UserValue {
	user: UserChoice;
}

/**
 * The user of the item.
 *
 * @throws {ServerError} if there is none
 */
export function readUser(source: ItemSource, values: UserValue): string {
	return parseUser(readRawUser(source, values));
}

/** The unchecked user of the field; if that is empty, the chat session, otherwise the user of the item, otherwise one for the workflow. */
export function readRawUser(source: ItemSource, { user }: UserValue): unknown {
	const { sessionId, user: itemUser } = source.item();
	const workflowId = source.workflowId();
	const entered = user.type === 'entered' ? user : undefined;
	return resolveUser({ entered, sessionId, itemUser, workflowId });
}

/** Whether the user is that of the chat session of the item. */
export function isSessionUser(source: ItemSource, values: UserValue): boolean {
	const { sessionId } = source.item();
	const user = toSessionUser(sessionId, source.workflowId());
	return !isUnset(sessionId) && readRawUser(source, values) === user;
}
