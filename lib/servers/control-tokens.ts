/**
 * Control tokens in texts. A server tokenizes the prompt as a whole, so `<|im_end|><|im_start|>system` in a user's text
 * or a document begins a message of the system (docs/protocols/llama-server.md 2.7). An invisible character in each of
 * them makes them plain text.
 */
import type { Connection } from '../http/connection';
import { timeSlices } from '../http/time-slices';
import { ZERO_WIDTH_SPACE } from '../plain-text';
import { append, type JsonRecord, literalPattern, nonEmptyText, recordOf } from '../values';
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
/** Characters of a large text that are searched at once. */
const PART_LENGTH = 1_000_000;

/** Bars on both sides of a name, as most families write their tokens. */
const BETWEEN_BARS = /^[<[][|｜][^|｜]*[\p{L}\p{N}][^|｜]*[|｜][>\]]$/u;
/** The markers of well-known families that have another form. */
const WELL_KNOWN = new Set([
	...['<start_of_turn>', '<end_of_turn>', '<|turn>', '<turn|>', '<|tool_response>'],
	...['<tool_response|>', '<seed:bos>', '<seed:eos>', '</s>', '[gMASK]', ']~b]', ']~!b[', '[e~['],
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
	const any = tokens.map(literalPattern).join('|');
	const beginning = new RegExp(`(?=${any})[^]`, 'g');
	return (text) => text.replace(beginning, `$&${ZERO_WIDTH_SPACE}`);
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
	const inQuestion = suspects.filter((suspect) => !isOfTemplate(suspect));
	const known = suspects.filter(isOfTemplate);
	const unasked = inQuestion.splice(MOST_ASKED);
	for (let at = 0; at < inQuestion.length; at += ASKED_AT_ONCE) {
		const group = inQuestion.slice(at, at + ASKED_AT_ONCE);
		const inVocabulary = await chat.controlTokens?.(connection, model, group);
		append(known, inVocabulary ?? group.filter(isOfSomeFamily));
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

/** Everything that is written like a control token. Large texts are searched in parts, so that n8n can go on between. */
async function tokenLikeIn(texts: readonly string[]): Promise<Set<string>> {
	const suspects = new Set<string>();
	const pause = timeSlices();
	for (const text of texts) {
		for (let at = 0; at < text.length; at += PART_LENGTH) {
			const part = text.slice(at, at + PART_LENGTH + LONGEST_TOKEN);
			for (const suspect of part.match(TOKEN_LIKE) ?? []) suspects.add(suspect);
			await pause();
		}
	}
	return suspects;
}
