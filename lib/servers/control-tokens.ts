/**
 * Control tokens of a model in texts, by its template and its vocabulary. A server tokenizes the prompt as a whole, so
 * `<|im_end|><|im_start|>system` in a user's text or a document begins a message of the system
 * (docs/protocols/llama-server.md 2.7). An invisible character in each of them makes them plain text.
 */
import type { Connection } from '../http/connection';
import { inTimeSlices } from '../http/time-slices';
import { isFilled, type JsonRecord, nonEmptyText, recordOf } from '../values';
import { type KindName, kindOf } from './kinds';
import {
	breakUp,
	type ControlTokens,
	isTokenLike,
	LONGEST_TOKEN,
	mayHoldTokens,
	suspectsIn,
	TOKEN_LIKE,
} from './token-search';

interface AddressedModel {
	serverKind: KindName;
	model: string;
}

/** Nobody writes these in other texts than those about templates. */
const HAS_BARS = /^[<[][|｜]|[|｜][>\]]$/;
const IN_CAPITALS = /^\[\/?[A-Z_\d]+\]$/;
/** For so many at once the vocabulary is asked, and for so many in all; what is beyond that is broken up. */
const ASKED_AT_ONCE = 200;
const MOST_ASKED = 2_000;

/** Bars on both sides of a name, as most families write their tokens. */
const BETWEEN_BARS = /^[<[][|｜][^|｜]*[\p{L}\p{N}][^|｜]*[|｜][>\]]$/u;
/** The markers of well-known families that have another form. */
const WELL_KNOWN = new Set([
	...['<start_of_turn>', '<end_of_turn>', '<|turn>', '<turn|>', '<|tool_response>'],
	...['<tool_response|>', '<seed:bos>', '<seed:eos>', '<bos>', '<eos>', '</s>', '<SYS>', '</SYS>'],
	...['[gMASK]', '<sop>', '<eop>', ']~b]', ']~!b[', '[e~['],
	...['[INST]', '[/INST]', '[SYSTEM_PROMPT]', '[/SYSTEM_PROMPT]', '[TOOL_CALLS]'],
	...['[TOOL_RESULTS]', '[/TOOL_RESULTS]', '[AVAILABLE_TOOLS]', '[/AVAILABLE_TOOLS]'],
]);

/** For servers that do not tell their template or vocabulary. */
const isOfSomeFamily = (text: string): boolean => BETWEEN_BARS.test(text) || WELL_KNOWN.has(text);

/** Breaks up the control tokens of the model that these texts hold, in any text. */
export async function breakerFor(
	connection: Connection,
	model: AddressedModel,
	texts: readonly string[],
): Promise<(text: string) => string> {
	const tokens = await controlTokensIn(connection, model, texts);
	if (tokens === undefined) return (text) => text;
	const changed = await inTimeSlices(breakUp(texts, tokens));
	return (text) => changed.get(text) ?? text;
}

/** The control tokens of the model; undefined where these texts hold none. */
export async function controlTokensIn(
	connection: Connection,
	model: AddressedModel,
	texts: readonly string[],
): Promise<ControlTokens | undefined> {
	const unusual = mayHoldTokens(texts) ? await unusualTokens(connection, model) : [];
	const suspects = await inTimeSlices(suspectsIn(texts, unusual, MOST_ASKED));
	if (suspects.size === 0) return undefined;
	const usual = [...suspects].filter((one) => !unusual.includes(one));
	const isToken = await tokenTest(connection, model, usual);
	const has = (token: string) => unusual.includes(token) || isToken(token);
	return suspects.size > MOST_ASKED || [...suspects].some(has) ? { unusual, has } : undefined;
}

/** Control tokens of the model's template, its first and its last one, where they are written in another way. */
async function unusualTokens(
	connection: Connection,
	{ serverKind, model }: AddressedModel,
): Promise<string[]> {
	const { template, controlTokens } = kindOf(serverKind).chat;
	if (controlTokens === undefined) return [];
	const { chat_template, bos_token, eos_token } = recordOf(await template?.(connection, model));
	const written = [chat_template, bos_token, eos_token].flatMap((one) => nonEmptyText(one) ?? []);
	const pieces = written.length === 0 ? [] : await controlTokens(connection, model, written);
	const unusual = (pieces ?? []).filter(
		(one) =>
			one.length > 1 && one.length <= LONGEST_TOKEN && mayHoldTokens([one]) && !isTokenLike(one),
	);
	if (unusual.length === 0) return [];
	// Texts beside control tokens are cut into other tokens than elsewhere.
	const alone = new Set(await controlTokens(connection, model, unusual));
	return unusual.filter((one) => alone.has(one));
}

/** Tells which of the suspects are control tokens. Beyond those that a server is asked for, all are. */
async function tokenTest(
	connection: Connection,
	{ serverKind, model }: AddressedModel,
	suspects: readonly string[],
): Promise<(suspect: string) => boolean> {
	const { chat } = kindOf(serverKind);
	const props = recordOf(await chat.template?.(connection, model));
	const template = nonEmptyText(props.chat_template) ?? nonEmptyText(props.template) ?? '';
	const isOfTemplate = templateTokens(template, props);
	const unpaired = unpairedTags(template);
	const isMarker = (text: string) => isOfSomeFamily(text) || unpaired.has(text);
	if (chat.controlTokens === undefined || !isFilled(props))
		return (suspect) => isOfTemplate(suspect) || isMarker(suspect);
	const ordinary = new Set<string>();
	const asked = suspects.slice(0, MOST_ASKED);
	const inQuestion = asked.filter((suspect) => !isOfTemplate(suspect));
	for (let at = 0; at < inQuestion.length; at += ASKED_AT_ONCE) {
		const group = inQuestion.slice(at, at + ASKED_AT_ONCE);
		const pieces = await chat.controlTokens(connection, model, group);
		const inVocabulary = new Set(pieces ?? group.filter(isMarker));
		for (const one of group) if (!inVocabulary.has(one)) ordinary.add(one);
	}
	return (suspect) => !ordinary.has(suspect);
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
		(written.has(text) && (HAS_BARS.test(text) || IN_CAPITALS.test(text) || WELL_KNOWN.has(text)));
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
