/** Reads refusals that name fields which a server does not accept. */

import type { ServerError } from '../errors/server-error';
import { LruCache } from '../lru-cache';
import type { JsonRecord } from '../values';

/** `top_k`, or several: `a, b`, `'a', 'b'`, `['a', 'b']`, `{'a': 1}`. */
const NAMES = String.raw`[\[{(]?\s*(['"\x60]\w+['"\x60](?:\s*[,:]\s*(?:['"\x60]\w+['"\x60]|[\d.]+))*|\w+(?:\s*,\s*\w+)*)`;

/** How FastAPI and pydantic with forbidden extras, OpenAI's API, LiteLLM, vLLM, and Python functions refuse fields. */
export const REFUSED_FIELDS: readonly RegExp[] = [
	// As FastAPI joins place and message, and in pydantic's own text, which has a line for each
	/(?:\bbody\.|^)(\w+)(?::|\r?\n) *extra (?:inputs are|fields) not permitted/gim,
	new RegExp(
		String.raw`\bun(?:supported|known|recogni[sz]ed|expected) (?:request )?(?:parameter|argument|field|property|key)(?:s|\(s\))?(?: supplied| in the request)?:? ${NAMES}`,
		'gi',
	),
	new RegExp(String.raw`\bunexpected keyword arguments? ${NAMES}`, 'gi'),
	new RegExp(String.raw`\bdoes not support (?:the )?(?:following )?parameters?:? ${NAMES}`, 'gi'),
	/\b(?:parameter|argument|field|property) ['"\x60](\w+)['"\x60] is (?:not supported|unsupported|not permitted|not allowed)/gi,
];

/** Further forms seen: JSON schema validators, llamafile, vLLM. */
const FORMS: readonly RegExp[] = [
	...REFUSED_FIELDS,
	new RegExp(
		String.raw`\badditional properties are not allowed:? \(?${NAMES}\)? (?:was|were) unexpected`,
		'gi',
	),
	// llamafile
	/\b(\w+) field not supported\b/gi,
	// vLLM without a scheduler by priority, and the first releases of its V1 engine
	/\bGot (priority) -?\d+ but Priority scheduling is not enabled/gi,
	/\bV1 does not support (priority)\b/gi,
];

/** The fields that a refusal names, each once. */
export function refusedFieldsIn(refusal: string): string[] {
	const lists = FORMS.flatMap((form) => [...refusal.matchAll(form)].map(([, names]) => names!));
	return [...new Set(lists.flatMap(namesInList))];
}

/** The names in a list such as `'a', 'b'`. In an entry of a Python dict, only the key is a name. */
export function namesInList(list: string): string[] {
	return list
		.split(',')
		.map((entry) => /^\s*['"\x60]?(\w+)/.exec(entry)?.[1])
		.filter((name) => name !== undefined);
}

/** By the name of a refused field: its new name, or null to leave it out. */
export type FieldChanges = Readonly<Record<string, string | null>>;

/**
 * The changes that a refusal requires, for example by "Unsupported parameter: 'max_tokens' … Use
 * 'max_completion_tokens' instead."
 */
export function fieldChangesIn(refusal: string): FieldChanges {
	const names = refusedFieldsIn(refusal);
	const [, other = null] =
		/\buse (?:the )?(?:parameter )?['"\x60](\w+)['"\x60] instead/i.exec(refusal) ?? [];
	return Object.fromEntries(names.map((name) => [name, names.length === 1 ? other : null]));
}

/** More than a request has fields: a server that names a new one each time is not asked for ever. */
const MOST_CHANGES = 64;

/**
 * The changes that a refusal requires, with those made before; undefined if it names no other field, or one that the
 * request needs.
 */
export function furtherChanges(
	refusal: string,
	before: FieldChanges,
	isNeeded: (name: string) => boolean,
): FieldChanges | undefined {
	const changes = Object.entries(fieldChangesIn(refusal)).filter(([name]) => !(name in before));
	const losesNeeded = changes.some(([name, other]) => other === null && isNeeded(name));
	const isTooMuch = Object.keys(before).length >= MOST_CHANGES;
	if (changes.length === 0 || losesNeeded || isTooMuch) return undefined;
	return { ...before, ...Object.fromEntries(changes) };
}

/** Fields that no user sets: token counts in the stream, and the class of a request. */
const OWN_FIELDS: ReadonlySet<string> = new Set(['stream_options', 'priority']);

/** The note on options of the user that were left out of a body. */
export function noteOnLeftOut(changes: FieldChanges, body: JsonRecord): string[] {
	const fields = Object.keys(changes).filter((name) => changes[name] === null);
	const options = fields.filter((name) => !OWN_FIELDS.has(name) && name in body);
	if (options.length === 0) return [];
	return [
		`This server refuses fields that it does not know, so these options were left out: ${options.join(', ')}`,
	];
}

/** Applies the changes to the fields of a body. */
export function withFieldChanges(fields: JsonRecord, changes: FieldChanges = {}): JsonRecord {
	if (Object.keys(changes).length === 0) return fields;
	return Object.fromEntries(
		Object.entries(fields).flatMap(([name, value]) => {
			const change = Object.hasOwn(changes, name) ? changes[name] : name;
			return typeof change === 'string' ? [[change, value]] : [];
		}),
	);
}

const refused = LruCache.shared<FieldChanges>({ maxEntries: 200, ttlMs: 60 * 60_000 });

/**
 * The changes that a model on a server required within the last hour, except for fields that the request needs. After
 * that, the server may have been updated.
 */
export function knownFieldChanges(
	place: string,
	isNeeded: (name: string) => boolean = () => false,
): FieldChanges {
	const changes = Object.entries(refused.get(place) ?? {});
	return Object.fromEntries(changes.filter(([name, other]) => other !== null || !isNeeded(name)));
}

export function rememberFieldChanges(place: string, changes: FieldChanges): void {
	refused.set(place, changes);
}

/**
 * Sends a request, and again without the fields that the server refuses. What it took is remembered.
 *
 * @param place model and server, from `modelKey`
 * @param furtherIn the changes that a refusal requires; undefined if none helps
 */
export async function sendWithoutRefused<Answered extends object>(
	place: string,
	isNeeded: (name: string) => boolean,
	send: (changes: FieldChanges) => Promise<Answered | { failed: ServerError }>,
	furtherIn: typeof furtherChanges = furtherChanges,
): Promise<{ outcome: Answered | { failed: ServerError }; changes: FieldChanges }> {
	const known = knownFieldChanges(place, isNeeded);
	let changes = known;
	for (;;) {
		const outcome = await send(changes);
		if (!('failed' in outcome)) {
			if (changes !== known) rememberFieldChanges(place, changes);
			return { outcome, changes };
		}
		const further = furtherIn(outcome.failed.serverText ?? '', changes, isNeeded);
		if (further === undefined) return { outcome, changes };
		changes = further;
	}
}
