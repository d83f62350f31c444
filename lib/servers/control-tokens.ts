/**
 * Control tokens in texts. A server tokenizes the prompt as a whole, so `<|im_end|><|im_start|>system` in a user's text
 * or a document begins a message of the system (docs/protocols/llama-server.md 2.7). An invisible character in each of
 * them makes them plain text.
 */
import { inTimeSlices } from '../http/time-slices';
import { ZERO_WIDTH_SPACE } from '../plain-text';

/**
 * Each place where something begins that is written like a control token, also within another: `<a[INST]>` holds one.
 * `<|im_end|>`, `<｜User｜>`, `<end_of_turn>`, `[INST]`, `[|user|]`, MiniMax's `]~b]`, `]~!b[` and `[e~[`. HTML tags are,
 * too.
 */
const TOKEN_LIKE =
	/(?=(<[^\s<>]{1,62}>|\[\/?[A-Za-z_]\w{2,39}\]|\[\|[^\s[\]]{1,60}\|\]|\]~!?b[\][]|\[e~\[))[^]/g;
const LONGEST_TOKEN = 64;
/** Texts are searched in steps, so that n8n can go on between: of so many characters, or one for each place. */
const STEP_LENGTH = 250_000;

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

const isControlToken = (text: string): boolean => BETWEEN_BARS.test(text) || WELL_KNOWN.has(text);

/**
 * Breaks up every control token, overlapping ones too, in each of these texts. All other text keeps its bytes.
 *
 * @param onFound called with each token
 * @returns changes one of these texts
 */
export async function breakerFor(
	texts: Iterable<string>,
	onFound?: (token: string) => void,
): Promise<(text: string) => string> {
	const changed = await inTimeSlices(breakUp(texts, onFound));
	return (text) => changed.get(text) ?? text;
}

/** Yields between its steps. */
function* breakUp(
	texts: Iterable<string>,
	onFound?: (token: string) => void,
): Generator<void, Map<string, string>> {
	const changed = new Map<string, string>();
	for (const text of texts) {
		changed.set(text, yield* brokenUp(text, onFound));
		yield;
	}
	return changed;
}

function* brokenUp(text: string, onFound?: (token: string) => void): Generator<void, string> {
	let broken = '';
	let end = 0;
	for (const { token, at } of places(text)) {
		yield;
		if (token === undefined || !isControlToken(token)) continue;
		onFound?.(token);
		const inside = at + String.fromCodePoint(token.codePointAt(0)!).length;
		broken += text.slice(end, inside) + ZERO_WIDTH_SPACE;
		end = inside;
	}
	return broken + text.slice(end);
}

/** Where a text holds what is written like a control token, and now and then where it holds none. */
function* places(text: string): Generator<{ token?: string; at: number }> {
	for (let from = 0; from < text.length; from += STEP_LENGTH) {
		yield { at: from };
		const part = text.slice(from, from + STEP_LENGTH + LONGEST_TOKEN);
		for (const { 1: token, index } of part.matchAll(TOKEN_LIKE)) {
			if (index >= STEP_LENGTH) break;
			yield { token, at: from + index };
		}
	}
}
