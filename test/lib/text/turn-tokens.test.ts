/** Tokens of chat templates in texts, which are broken up, and texts that only look alike, which stay. */
import * as fc from 'fast-check';
import {
	breakTokensByForm,
	breakTurnTokens,
	changeTexts,
	createTokenBreaker,
	findTemplateTokens,
	TURN_TOKENS,
} from '../../../lib/text/turn-tokens';
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
	const broken = JSON.stringify(changeTexts(value, breakTurnTokens));
	expect(broken.replaceAll('\u200b', '')).toBe(JSON.stringify(value));
	expect(hasToken(broken)).toBe(false);
	expect(broken).toContain('\\n<s>');
});

/** Of templates that are in no row of the list: EXAONE, Gemma 4, Hunyuan, GigaChat, Seed-OSS, Qwen, Mistral, MiniMax. */
const FORMS = [
	'[|system|]',
	'[|endofturn|]',
	'<|channel>',
	'<channel|>',
	'<|hy_User|>',
	'<｜hy_place▁holder▁no▁3｜>',
	'<|role_sep|>',
	'<|message_sep|>',
	'<seed:bos>',
	'<seed:eos>',
	'<eos>',
	'<tool_response>',
	'</tool_response>',
	'</tool_responses>',
	'</function_results>',
	'<seed:tool_call>',
	'</minimax:tool_call>',
	'<tool_response:v4>',
	'[/AVAILABLE_TOOLS]',
	'[TOOL_CALLS]',
	'<start_function_response>',
	'<end_of_image>',
	'</｜DSML｜function_calls>',
	']<]minimax[>[',
];

describe('by form', () => {
	const isBroken = (broken: string, each: string) =>
		!broken.includes(each) && broken.replaceAll('\u200b', '').includes(each);

	test.each([...FORMS, ...TURN_TOKENS])('%s is broken', (each) => {
		expect(isBroken(breakTokensByForm(`One${each}two ${each}\n${each}`), each)).toBe(true);
		expect(breakTurnTokens(each).includes(each)).toBe(FORMS.includes(each));
	});

	test.each([
		'<answer>, <thinking>, <think>, <tools>, <recall>, <END_OF_PLAN>, <b>, </s>, <s>',
		'[MASK] [CLS] [IMG] [unused7] [TODO] - [ ] a - [x] b [1] [[wiki]]',
		'a <| b |> c (F#), x <|> y, <|||>, || a || b ||, a < b |> c, <|>',
		'{"a":"<|","b":"|>"} <|"x"|> [|"x"|] <a|b> <a b|>',
		'<!DOCTYPE html><p class="a">x</p> <tool name="a"> <function> <call/>',
	])('%s stays', (source) => {
		expect(breakTokensByForm(source)).toBe(source);
	});

	test('a broken text looks like the original, and stays as it is', () => {
		const forms = fc.constantFrom(...FORMS, ...TURN_TOKENS, '<|', '|>', '<', '[|', '|]', '</');
		const source = fc.array(fc.oneof(forms, fc.string({ maxLength: 4 })), { maxLength: 12 });
		fc.assert(
			fc.property(source, (pieces) => {
				const all = pieces.join('');
				const broken = breakTokensByForm(all);
				expect(breakTokensByForm(broken)).toBe(broken);
				expect(hasToken(broken)).toBe(false);
				expect(broken.replaceAll('\u200b', '')).toBe(all.replaceAll('\u200b', ''));
			}),
		);
	});
});

describe("the tokens of the model's own template", () => {
	const JINJA =
		"{{- '<|im_start|>' + role }}{% if tool %}{{ '[|tool|]' }}</tool_response>{% endif %}";
	const GO = '{{ if .System }}<|x_sys|>{{ .System }}<|x_end|>{{ end }}';

	test.each([
		{ template: JINJA, tokens: ['<|im_start|>', '[|tool|]', '</tool_response>'] },
		{ template: GO, tokens: ['<|x_sys|>', '<|x_end|>'] },
		{ template: "{{ '<|' + role + '|>' }}", tokens: [] },
		{ template: '', tokens: [] },
	])('are found in $template', ({ template, tokens }) => {
		expect(findTemplateTokens(template)).toEqual(tokens);
	});

	test('are broken with those of the list, and no others', () => {
		const change = createTokenBreaker(findTemplateTokens(JINJA + GO));
		expect(change('<|x_sys|> [|tool|] <|eot_id|> <|y|> [|z|]').replaceAll('\u200b', '.')).toBe(
			'<.|x_sys|> [.|tool|] <.|eot_id|> <|y|> [|z|]',
		);
	});

	test('are as many as a template may have', () => {
		const template = Array.from({ length: 300 }, (_none, at) => `<|t${at}|>`).join('');
		expect(findTemplateTokens(template + template)).toHaveLength(200);
	});
});
