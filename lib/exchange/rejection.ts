/** A rejection as adaptations read it: without what it repeats of the request. */
import type { ServerError } from '../errors/server-error';
import type { ErrorType } from '../errors/error-types';
import { removeEchoes } from '../errors/echoes';
import { getUnquotedStart, isUnquoted } from '../errors/quotations';
import { findTypeByText } from '../errors/signals';
import { decodeEntities } from '../values/html-entities';
import type { JsonRecord } from '../values/records';
import { asNonEmptyString } from '../values/records';
import { normalizeLetters, collectTexts } from '../values/text';

/** An error response as adaptations read it. */
export interface Rejection {
	type: ErrorType;
	status?: number;
	/** The server message, without the stretches of the request that it repeats. */
	getMessage(): string;
	/** The matches in the server message. Text that also occurs in the request is ignored. */
	matches(pattern: RegExp): RegExpExecArray[];
	/** The field that the server names next to its message. */
	param?: string;
	/** The server's code next to its message. */
	code?: string;
	/** Whether the message contains the name of a field, which no text of the request contains. */
	mentions(name: string): boolean;
}

/** Statuses with which a server rejects what a body contains. A 500 may also quote what the model wrote. */
export const TEACHING_STATUSES: readonly number[] = [400, 422];

/** The rejection as the server wrote it, which may quote what a visitor or a model wrote. */
export function toRejection(
	{ type, status, serverText = '', facts }: ServerError,
	body: JsonRecord,
): Rejection {
	/** Messages, inputs, documents and schemas, not the names of fields. */
	const getTexts = memoizeOnce(() => collectTexts(Object.values(body)));
	const getLetters = memoizeOnce(() => getTexts().flatMap(toLetters));
	const matches = (pattern: RegExp) =>
		[...serverText.matchAll(pattern)].filter(([match]) => {
			const found = toLetters(match);
			return !getLetters().some((text) => found.some((letters) => text.includes(letters)));
		});
	return {
		type,
		status,
		param: asNonEmptyString(facts.param),
		code: asNonEmptyString(facts.code),
		getMessage: () => removeEchoes(serverText, getTexts()),
		matches,
		mentions: (name) => matches(new RegExp(String.raw`\b${name}\b`, 'g')).length > 0,
	};
}

/** The rejection without everything that a visitor or a model may have written. */
export function toOwnRejection(error: ServerError, body: JsonRecord): Rejection {
	const { type, status = 0, serverText = '' } = error;
	const unquotedStart = getUnquotedStart(serverText);
	const isByStatus = type === 'badRequest' && TEACHING_STATUSES.includes(status);
	const rejection = toRejection(error, body);
	const { getMessage } = toRejection(error.copyWith({ serverText: unquotedStart }), body);
	return {
		...rejection,
		getMessage,
		type: isByStatus || findTypeByText(unquotedStart) === type ? type : 'serverError',
		matches: (pattern) =>
			rejection.matches(pattern).filter(({ index }) => isUnquoted(serverText, index)),
	};
}

/** The letters of a text, also as a server may echo it: with entities of HTML, wide letters, accents. */
function toLetters(text: string): string[] {
	if (!/[&\u0080-\uffff]/.test(text)) return [normalizeLetters(text)].filter(Boolean);
	const decoded = decodeEntities(decodeEntities(text));
	return [...new Set([text, decoded, toBaseLetters(text), toBaseLetters(decoded)])]
		.map(normalizeLetters)
		.filter((letters) => letters !== '');
}

function toBaseLetters(text: string): string {
	return text.normalize('NFKD').replace(/\p{M}/gu, '');
}

function memoizeOnce<V>(derive: () => V): () => V {
	let value: V | undefined;
	return () => (value ??= derive());
}
