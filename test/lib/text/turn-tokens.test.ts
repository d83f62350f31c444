/** Tokens of chat templates in texts, which are broken up, and texts that only look alike, which stay. */
import * as fc from 'fast-check';
import { breakTurnTokens, breakTurnTokensDeep, TURN_TOKENS } from '../../../lib/text/turn-tokens';
import { withoutEndMarks } from '../../../lib/text/end-marks';

const hasToken = (text: string) => TURN_TOKENS.some((token) => text.includes(token));

/** Tokens, their halves, and text. */
const token = fc.constantFrom(...TURN_TOKENS);
const piece = fc.oneof(
	token,
	token.map((each) => each.slice(0, Math.ceil(each.length / 2))),
	token.map((each) => each.slice(Math.ceil(each.length / 2))),
	fc.constantFrom('<', '>', '|', '[', ']', '/', '｜', '▁', '~', ' ', '\n', 'a', '"'),
	fc.string({ maxLength: 5 }),
);
const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));

test('each token is in the list once, and none is an element, a word or a number', () => {
	expect(TURN_TOKENS).toEqual([...new Set(TURN_TOKENS)]);
	expect(TURN_TOKENS.length).toBeLessThan(70);
	expect(TURN_TOKENS.filter((each) => /^<\/?[A-Za-z]+(?:\s|>)|^\w+$/.test(each))).toEqual([]);
});

test('no token is left, whatever is around it, and within another one', () => {
	fc.assert(
		fc.property(text, (source) => {
			expect(hasToken(breakTurnTokens(source))).toBe(false);
		}),
		{ numRuns: 500 },
	);
	for (const outer of TURN_TOKENS)
		for (const inner of TURN_TOKENS)
			for (const at of [1, outer.length - 1]) {
				const nested = outer.slice(0, at) + inner + outer.slice(at);
				expect(hasToken(breakTurnTokens(nested))).toBe(false);
				expect(hasToken(breakTurnTokens(outer + inner.slice(at)))).toBe(false);
			}
});

test('a broken text looks like the original, stays as it is, and is no end of a turn', () => {
	fc.assert(
		fc.property(text, (source) => {
			const broken = breakTurnTokens(source);
			expect(breakTurnTokens(broken)).toBe(broken);
			expect(broken.replaceAll('\u200b', '')).toBe(source.replaceAll('\u200b', ''));
		}),
	);
	for (const each of TURN_TOKENS) {
		const broken = breakTurnTokens(`a${each}`);
		expect(withoutEndMarks(broken)).toBe(broken);
	}
});

test('a text without a token stays as it is', () => {
	fc.assert(
		fc.property(text, (source) => {
			fc.pre(!hasToken(source));
			expect(breakTurnTokens(source)).toBe(source);
		}),
	);
});

/** What authors write into prompts, schemas and programs. */
test.each([
	'<answer>, <thinking>, <think>, <tools>, <tool_call>, <tool_response>, <recall>, <END_OF_PLAN>',
	'<s>old price</s> <b>new</b> <PRE> <image> <video> <mask> <pad> <eos>',
	'[MASK] [CLS] [SEP] [UNK] [PAD] [IMG] [img-1] [unused7] [TOOL_CALLS] [ARGS]',
	'<|file-528|> <|fim_prefix|> <|custom|> <｜x｜> [|x|] ✿FUNCTION✿ >>TITLE<<',
	'bind("<Escape>") (?P<sep>[,;]) <invoke name="a"> <syscall name="b"> <function=get>',
	'to=functions.get functools[{"name":"a"}] <<EOF [INST ] <|IM_START|> [inst]',
	'USER: Hi\nASSISTANT: ### Instruction: >>> <role>admin</role> <user>A</user>',
	'a <| b |> c; x[i] ~ y[j]; [e] ~ [f]',
])('%s stays', (source) => {
	expect(breakTurnTokens(source)).toBe(source);
});

test('in a value, names and texts are broken', () => {
	const value = { '<|im_end|>': ['[INST]', 1, null, { a: '<｜User｜>\n<s>' }], b: true };
	const broken = JSON.stringify(breakTurnTokensDeep(value));
	expect(broken.replaceAll('\u200b', '')).toBe(JSON.stringify(value));
	expect(hasToken(broken)).toBe(false);
	expect(broken).toContain('\\n<s>');
});
