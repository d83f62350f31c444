import { isRecord } from '../../../lib/values/records';
import * as crypto from 'node:crypto';
import { bodyOf, objectIn } from './exchange';
import type { Exchange, Json } from './exchange';

const MAX_TEXT = 300;
const SHOWN_TEXT = 160;
const MAX_LIST = 24;
const SHOWN_LIST = 3;

/** Fields that depend on the clock. */
const MEASURED = /^(milliseconds|firstTokenMs|totalMs|tookMs)$/;

const hashOf = (text: string) =>
	crypto.createHash('sha256').update(text).digest('hex').slice(0, 12);

function shortText(text: string): string {
	const plain = text
		.replace(/\b(?:127\.0\.0\.1|localhost):\d+/g, '<server>')
		.replace(/\bin \d+ ms\b/g, 'in <n> ms');
	if (plain.length <= MAX_TEXT) return plain;
	return `${plain.slice(0, SHOWN_TEXT)}… (${plain.length} characters, sha256 ${hashOf(plain)})`;
}

function shortList(list: readonly unknown[]): unknown {
	const short = list.map(readable);
	if (list.length <= MAX_LIST) return short;
	const hash = hashOf(JSON.stringify(short));
	return [...short.slice(0, SHOWN_LIST), `… (${list.length} entries, sha256 ${hash})`];
}

/** A result as stored: without values that depend on the clock or a port, long texts and lists as their beginning and a hash. */
export function readable(value: unknown): unknown {
	if (typeof value === 'string') return shortText(value);
	if (typeof value === 'number') return Number(value.toPrecision(9));
	if (Array.isArray(value)) return shortList(value);
	if (!isRecord(value)) return value;
	const stableEntries = Object.entries(value).filter(
		([key, one]) => one !== undefined && !MEASURED.test(key),
	);
	stableEntries.sort(([one], [other]) => (one < other ? -1 : 1));
	return Object.fromEntries(stableEntries.map(([key, one]) => [key, readable(one)]));
}

/** Omits empty values. */
export function filled(json: Json): Json {
	return Object.fromEntries(Object.entries(json).filter(([, value]) => !isEmpty(value)));
}

function isEmpty(value: unknown): boolean {
	if (value === undefined || value === '') return true;
	return Array.isArray(value) && value.length === 0;
}

interface NodeError extends Error {
	description?: string;
	messages?: string[];
	/** `descriptionTemplate`: what the panel shows, if the description is for a chat. */
	context?: { data?: Json; descriptionTemplate?: string };
}

/** Type and title of an error, the partial result, and whether the server message can be read. */
export function failureOf(error: unknown, exchange: Exchange): Json {
	const { message, description = '', messages = [], context } = error as NodeError;
	const { type, partialText, partialReasoning } = context?.data ?? {};
	const all = [message, description, context?.descriptionTemplate, ...messages].join('\n');
	return {
		error: filled({
			type,
			title: message,
			partialText,
			partialThinking: partialReasoning,
			quotesServer: quotes(all, exchange),
		}),
	};
}

/** Characters of the server message that must be quoted. */
const QUOTED = 40;

function quotes(text: string, { answer }: Exchange): boolean | undefined {
	const sentence = sentenceIn(bodyOf(answer));
	if (sentence === undefined) return undefined;
	return withoutBlanks(text).includes(withoutBlanks(sentence.slice(0, QUOTED)));
}

const withoutBlanks = (text: string) => text.replace(/\s+/g, '');

/** The message of an error body. */
function sentenceIn(body: string): string | undefined {
	const json = objectIn(body);
	const inner = json.error ?? json.detail ?? json;
	if (typeof inner === 'string') return inner;
	return isRecord(inner) && typeof inner.message === 'string' ? inner.message : undefined;
}
