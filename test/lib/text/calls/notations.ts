/** A call in each notation that a reader reads. */

/** Writes a call. The arguments are texts and numbers. */
export type Notation = (name: string, args: Readonly<Record<string, string | number>>) => string;

const json: Notation = (name, args) => JSON.stringify({ name, arguments: args });
const python: Notation = (name, args) =>
	`${name}(${Object.entries(args)
		.map(([key, value]) => `${key}=${JSON.stringify(value)}`)
		.join(', ')})`;
const tags =
	(open: (key: string) => string, close: string): Notation =>
	(_name, args) =>
		Object.entries(args)
			.map(([key, value]) => `${open(key)}${value}${close}`)
			.join('\n');

const qwenParameters = tags((key) => `<parameter=${key}>\n`, '\n</parameter>');
const namedParameters = tags((key) => `<parameter name="${key}">`, '</parameter>');
const keysAndValues = tags((key) => `<arg_key>${key}</arg_key>\n<arg_value>`, '</arg_value>');

export const NOTATIONS: Readonly<Record<string, Notation>> = {
	'JSON as the complete response': json,
	'a list of JSON': (name, args) => `[${json(name, args)}]`,
	'a list like Python': (name, args) => `[${python(name, args)}]`,
	'JSON in tags': (name, args) => `I look.\n<tool_call>\n${json(name, args)}\n</tool_call>`,
	'JSON in tokens': (name, args) => `<|tool_call|>${json(name, args)}`,
	'Python in a tag': (name, args) => `<tool_code>${python(name, args)}</tool_code>`,
	'Python after a token': (name, args) => `<|python_tag|>${python(name, args)}`,
	LFM2: (name, args) => `<|tool_call_start|>[${python(name, args)}]<|tool_call_end|>`,
	'MiniCPM 4': (name, args) =>
		`<|tool_call_start|>\n\`\`\`python\n${python(name, args)}\n\`\`\`\n<|tool_call_end|>`,
	'Qwen3-Coder': (name, args) =>
		`<tool_call>\n<function=${name}>\n${qwenParameters(name, args)}\n</function>\n</tool_call>`,
	'Qwen3-Coder without its mark': (name, args) =>
		`<function=${name}>\n${qwenParameters(name, args)}\n</function>`,
	'MiniMax M2': (name, args) =>
		`<minimax:tool_call>\n<invoke name="${name}">\n${namedParameters(name, args)}\n</invoke>\n</minimax:tool_call>`,
	GLM: (name, args) => `<tool_call>${name}\n${keysAndValues(name, args)}\n</tool_call>`,
	Mistral: (name, args) => `[TOOL_CALLS][${json(name, args)}]`,
	Devstral: (name, args) => `[TOOL_CALLS]${name}[ARGS]${JSON.stringify(args)}`,
	'LM Studio': (name, args) => `[TOOL_REQUEST]${json(name, args)}[END_TOOL_REQUEST]`,
	Harmony: (name, args) =>
		`<|channel|>commentary to=functions.${name} <|constrain|>json<|message|>${JSON.stringify(args)}<|call|>`,
	'DeepSeek V3': (name, args) =>
		`<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>${name}\n\`\`\`json\n${JSON.stringify(args)}\n\`\`\`<｜tool▁call▁end｜><｜tool▁calls▁end｜>`,
	'DeepSeek V3.1': (name, args) =>
		`<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>${name}<｜tool▁sep｜>${JSON.stringify(args)}<｜tool▁call▁end｜><｜tool▁calls▁end｜>`,
	'Kimi K2': (name, args) =>
		`<|tool_calls_section_begin|><|tool_call_begin|>functions.${name}:0<|tool_call_argument_begin|>${JSON.stringify(args)}<|tool_call_end|><|tool_calls_section_end|>`,
	'Phi 4 mini': (name, args) => `functools[${json(name, args)}]`,
	Laguna: (name, args) => `<tool_call>${name}\n${JSON.stringify(args)}</tool_call>`,
};
