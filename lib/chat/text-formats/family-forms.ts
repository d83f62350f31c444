/** Ways of writing calls that only one family of models has. */
import { bare, type Form, inside, invoke, named, pythonLines, special, tagged } from './forms';

const harmonyChannels = ['<|channel|>commentary', '<|channel|>analysis', '<|channel|>final'];
const harmonyCall = named(
	['to=functions.'],
	[...harmonyChannels, 'commentary', '<|constrain|>', 'json', '<|message|>'],
	'<|call|>',
);
const harmonyBegins = ['<|end|>', '<|start|>assistant', ...harmonyChannels];
export const harmonyForms: readonly Form[] = [
	{
		...special(harmonyCall),
		around: { open: [...harmonyBegins, 'commentary'], close: [] },
		begins: harmonyBegins,
	},
	{ ...bare(harmonyCall), around: { open: ['commentary', 'analysis'], close: [] } },
];

/** With its own quotation mark, and unquoted keys. */
export const gemmaCall = (open: string, close: string, quote: string): Form => ({
	shape: {
		kind: 'named',
		open: [open],
		close: [close],
		notation: { quotes: [quote], escapes: false, bareKeys: true },
	},
	special: true,
});

export const strippedGemma: Form = { ...named(['call:']), reportedAs: 'incomplete' };
export const toolCode: Form = {
	...pythonLines,
	around: { open: ['```tool_code', 'print('], close: [')', '```'] },
	begins: ['```tool_code'],
	reportedAs: 'quoted',
};

/** Elements with keys and values. Hy4 adds a suffix to every tag. */
export const argumentTags = (suffix: string, ...end: string[]) =>
	tagged({
		open: `<tool_call${suffix}>`,
		key: `<arg_key${suffix}>`,
		value: [`</arg_key${suffix}>`, `<arg_value${suffix}>`],
		valueEnd: `</arg_value${suffix}>`,
		close: `</tool_call${suffix}>`,
		end,
	});

/** Variants of the bars in DeepSeek's markers. */
const BARS = ['｜', '｜｜', '‖', '|', '||', ' | '];
const dsmlForm = (bar: string): Form => ({
	...special(invoke(`${bar}DSML${bar}`)),
	around: {
		open: [`<${bar}DSML${bar}function_calls>`, `<${bar}DSML${bar}tool_calls>`],
		close: [`</${bar}DSML${bar}function_calls>`, `</${bar}DSML${bar}tool_calls>`],
	},
});
export const dsmlForms = BARS.map(dsmlForm);

/** Variants of the gaps between the words of its markers. */
const GAPS = ['▁', ' ', '_', '\\_'];
const deepSeekForm = (gap: string): Form => {
	const mark = (words: string) => `<｜${words.replaceAll(' ', gap)}｜>`;
	const begin = mark('tool call begin');
	const separator = mark('tool sep');
	const end = mark('tool call end');
	const call = named(
		[`${begin}function${separator}`, begin],
		[separator, '```json'],
		`\n\`\`\`${end}`,
		`\`\`\`${end}`,
		end,
	);
	return special(inside(mark('tool calls begin'), mark('tool calls end'), call));
};
export const deepSeekForms = GAPS.map(deepSeekForm);
