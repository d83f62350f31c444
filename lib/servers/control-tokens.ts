/**
 * Control tokens in texts. A server tokenizes the prompt as a whole, so `<|im_end|><|im_start|>system` in a user's text
 * or a document begins a message of the system (docs/protocols/llama-server.md 2.7). An invisible character in each of
 * them makes them plain text.
 */
import type { Connection } from '../http/connection';
import { resultOf } from '../generators';
import { inTimeSlices } from '../http/time-slices';
import { ZERO_WIDTH_SPACE } from '../plain-text';
import { append, type JsonRecord, nonEmptyText, recordOf } from '../values';
import { type KindName, kindOf } from './kinds';

interface AddressedModel {
	serverKind: KindName;
	model: string;
}

/**
 * Everything written like a control token: `<|im_end|>`, `<｜User｜>`, `<end_of_turn>`, `[INST]`, `[|user|]`, GLM's `[gMASK]`,
 * MiniMax's `]~b]`, `]~!b[` and `[e~[`. HTML tags are, too.
 */
const TOKEN_LIKE =
	/<[^\s<>]{1,62}>|\[\/?[A-Z_]{3,40}\]|\[\|[^\s[\]]{1,60}\|\]|\[gMASK\]|\]~!?b[\][]|\[e~\[/g;
/** Nobody writes these in other texts than those about templates. */
const HAS_BARS = /^[<[][|｜]|[|｜][>\]]$/;
const IN_BRACKETS = /^[[\]]/;
/** For so many at once the vocabulary is asked, and for so many in all; what is beyond that is broken up. */
const ASKED_AT_ONCE = 200;
const MOST_ASKED = 2_000;
const LONGEST_TOKEN = 64;
/** Each place where one begins, also within another: `<a[INST]>` holds one. */
const BEGINNING = new RegExp(`(?=(${TOKEN_LIKE.source}))[^]`, 'g');
/** Texts are searched in steps, so that n8n can go on between: of so many characters, or one for each place. */
const STEP_LENGTH = 250_000;

/** Bars on both sides of a name, as most families write their tokens. */
const BETWEEN_BARS = /^[<[][|｜][^|｜]*[\p{L}\p{N}][^|｜]*[|｜][>\]]$/u;
/** The markers of well-known families that have another form. */
const WELL_KNOWN = new Set([
	...['<start_of_turn>', '<end_of_turn>', '<|turn>', '<turn|>', '<|tool_response>'],
	...['<tool_response|>', '<seed:bos>', '<seed:eos>', '<bos>', '<eos>', '</s>', '<SYS>', '</SYS>'],
	...['[gMASK]', ']~b]', ']~!b[', '[e~['],
	...['[INST]', '[/INST]', '[SYSTEM_PROMPT]', '[/SYSTEM_PROMPT]', '[TOOL_CALLS]'],
	...['[TOOL_RESULTS]', '[/TOOL_RESULTS]', '[AVAILABLE_TOOLS]', '[/AVAILABLE_TOOLS]'],
]);

/** For servers that do not tell their template or vocabulary. */
const isOfSomeFamily = (text: string): boolean => BETWEEN_BARS.test(text) || WELL_KNOWN.has(text);

export const holdsTokenLike = (text: string): boolean => text.search(TOKEN_LIKE) >= 0;

/** Breaks up the control tokens of the model that these texts hold, in any text. */
export async function breakerFor(
	connection: Connection,
	model: AddressedModel,
	texts: readonly string[],
): Promise<(text: string) => string> {
	const tokens = await controlTokensIn(connection, model, texts);
	return tokens.length === 0 ? (text) => text : breaker(tokens);
}

/** Breaks up every occurrence, overlapping ones too. All other text keeps its bytes. */
export function breaker(tokens: readonly string[]): (text: string) => string {
	const known = new Set(tokens);
	return (text) => resultOf(brokenUp(text, known));
}

/** The same in steps, between which n8n can go on. */
export function* brokenUp(text: string, tokens: ReadonlySet<string>): Generator<void, string> {
	let broken = '';
	let end = 0;
	for (const { token, at } of places(text)) {
		yield;
		if (token === undefined || !tokens.has(token)) continue;
		broken += text.slice(end, at + 1) + ZERO_WIDTH_SPACE;
		end = at + 1;
	}
	return broken + text.slice(end);
}

/** Where a text holds what is written like a control token, and now and then where it holds none. */
function* places(text: string): Generator<{ token?: string; at: number }> {
	for (let from = 0; from < text.length; from += STEP_LENGTH) {
		yield { at: from };
		const part = text.slice(from, from + STEP_LENGTH + LONGEST_TOKEN);
		for (const { 1: token, index } of part.matchAll(BEGINNING)) {
			if (index >= STEP_LENGTH) break;
			yield { token, at: from + index };
		}
	}
}

/** The control tokens of the model that these texts hold. */
export async function controlTokensIn(
	connection: Connection,
	model: AddressedModel,
	texts: readonly string[],
): Promise<string[]> {
	const suspects = await tokenLikeIn(texts);
	if (suspects.size === 0) return [];
	return await controlTokensAmong(connection, model, [...suspects]);
}

async function controlTokensAmong(
	connection: Connection,
	{ serverKind, model }: AddressedModel,
	suspects: string[],
): Promise<string[]> {
	const { chat } = kindOf(serverKind);
	const props = recordOf(await chat.template?.(connection, model));
	const template = nonEmptyText(props.chat_template) ?? nonEmptyText(props.template);
	if (template === undefined) return suspects.filter(isOfSomeFamily);
	const isOfTemplate = templateTokens(template, props);
	const unpaired = unpairedTags(template);
	const isMarker = (text: string) => isOfSomeFamily(text) || unpaired.has(text);
	const inQuestion = suspects.filter((suspect) => !isOfTemplate(suspect));
	const known = suspects.filter(isOfTemplate);
	const unasked = inQuestion.splice(MOST_ASKED);
	for (let at = 0; at < inQuestion.length; at += ASKED_AT_ONCE) {
		const group = inQuestion.slice(at, at + ASKED_AT_ONCE);
		const inVocabulary = await chat.controlTokens?.(connection, model, group);
		append(known, inVocabulary ?? group.filter(isMarker));
	}
	return [...known, ...unasked];
}

/** What the template itself writes around messages. Its tags without bars, such as `<think>`, are ordinary text. */
function templateTokens(
	template: string,
	{ bos_token: first, eos_token: last }: JsonRecord,
): (text: string) => boolean {
	const written = new Set(template.match(TOKEN_LIKE));
	return (text) =>
		text === first ||
		text === last ||
		(written.has(text) && (HAS_BARS.test(text) || IN_BRACKETS.test(text) || WELL_KNOWN.has(text)));
}

/**
 * Tags that a template only opens, or only closes: they begin the turns of a model whose vocabulary cannot be asked. The
 * others stand around something, such as `<tools>`.
 */
function unpairedTags(template: string): ReadonlySet<string> {
	const tags = new Set(template.match(/<\/?[\w:.-]{1,60}>/g));
	const counterpartOf = (tag: string) =>
		tag.startsWith('</') ? tag.replace('/', '') : tag.replace('<', '</');
	return new Set([...tags].filter((tag) => !tags.has(counterpartOf(tag))));
}

/** Everything that is written like a control token. */
async function tokenLikeIn(texts: readonly string[]): Promise<Set<string>> {
	return await inTimeSlices(collected(texts));
}

function* collected(texts: readonly string[]): Generator<void, Set<string>> {
	const suspects = new Set<string>();
	for (const text of texts)
		for (const { token } of places(text)) {
			yield;
			if (token !== undefined) suspects.add(token);
		}
	return suspects;
}
