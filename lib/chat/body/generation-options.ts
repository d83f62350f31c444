/** The options of a generation: how the editor shows them, and the field that each fills. */
import type { NumberRange } from '../../values/numbers';

interface BaseOption {
	/** The label in the editor. */
	label: string;
	description: string;
	/**
	 * Name of the field in the request; default: the option's name in snake_case. `fieldNames` of a server type
	 * overrides it.
	 */
	fieldName?: string;
	/**
	 * Not in OpenAI's API: sent only to server types whose `supportedFields` list it, and with `anyServer` also to those
	 * that accept all fields.
	 */
	extension?: 'anyServer' | 'listedServers';
}

interface NumberOption extends BaseOption {
	type: 'number';
	/** Default: any number. */
	range?: NumberRange;
	/** Whether it must be an integer: llama-server truncates fractions, Ollama and vLLM reject them. */
	isInteger?: true;
	/** Initial value in the editor when the option is added. */
	defaultValue: number;
	/** A drop-down instead of an input field. */
	choices?: ReadonlyArray<{ name: string; value: number }>;
}

/** The definition of an option that is sent unchanged. */
export type GenerationOption =
	| NumberOption
	| (BaseOption & { type: 'stringList'; addButton: string })
	/** A duration: seconds, or a text such as `30m`. */
	| (BaseOption & { type: 'duration'; defaultValue: string; placeholder: string })
	| (BaseOption & { type: 'switch' });

const MAX_INTEGER = 2 ** 31 - 1;
const FRACTION = { range: [0, 1] } as const;
const PENALTY = { range: [-2, 2] } as const;
const COUNT = { range: [0, MAX_INTEGER], isInteger: true } as const;

/**
 * The options of a generation, in the order in which they are sent. Their types, checks, editor fields and visibility
 * are all derived from these rows.
 *
 * Ranges are those of llama-server v0.5.0 (`tools/server/server-schema.cpp`) and of OpenAI's API.
 */
export const GENERATION_OPTIONS = {
	temperature: {
		type: 'number',
		label: 'Temperature',
		defaultValue: 0.7,
		description: 'Higher is more random; 0 always takes the most likely token',
		range: [0, 100],
	},
	topP: {
		type: 'number',
		label: 'Top P',
		defaultValue: 0.95,
		description:
			'Considers only the most likely tokens whose probabilities add up to this value; 1 = all',
		...FRACTION,
	},
	topK: {
		type: 'number',
		label: 'Sampling: Top K',
		defaultValue: 40,
		description: 'Considers only this many of the most likely tokens; 0 = all',
		extension: 'anyServer',
		...COUNT,
	},
	minP: {
		type: 'number',
		label: 'Sampling: Min P',
		defaultValue: 0.05,
		description: 'Drops tokens less likely than this fraction of the most likely token',
		extension: 'anyServer',
		...FRACTION,
	},
	repeatPenalty: {
		type: 'number',
		label: 'Sampling: Repeat Penalty',
		defaultValue: 1.1,
		description: 'Reduces repetition; 1 = off',
		extension: 'anyServer',
		range: [0, 100],
	},
	repeatLastN: {
		type: 'number',
		label: 'Sampling: Repeat Last N',
		defaultValue: 64,
		description: 'How many recent tokens the repeat penalty considers; 0 = off',
		extension: 'anyServer',
		...COUNT,
	},
	presencePenalty: {
		type: 'number',
		label: 'Sampling: Presence Penalty',
		defaultValue: 0,
		description: 'Positive values make words that already occurred less likely',
		...PENALTY,
	},
	frequencyPenalty: {
		type: 'number',
		label: 'Sampling: Frequency Penalty',
		defaultValue: 0,
		description: 'Positive values make words less likely the more often they have occurred',
		...PENALTY,
	},
	mirostat: {
		type: 'number',
		label: 'Sampling: Mirostat',
		defaultValue: 0,
		description: 'Keeps the perplexity of the output constant; replaces Top K, Top P and Min P',
		extension: 'anyServer',
		range: [0, 2],
		isInteger: true,
		choices: [
			{ name: 'Off', value: 0 },
			{ name: 'Version 1', value: 1 },
			{ name: 'Version 2', value: 2 },
		],
	},
	mirostatTau: {
		type: 'number',
		label: 'Sampling: Mirostat Tau',
		defaultValue: 5,
		description: 'Target perplexity of the output',
		extension: 'anyServer',
	},
	mirostatEta: {
		type: 'number',
		label: 'Sampling: Mirostat Eta',
		defaultValue: 0.1,
		description: 'How quickly Mirostat adapts',
		extension: 'anyServer',
	},
	seed: {
		type: 'number',
		label: 'Sampling: Seed',
		defaultValue: 42,
		description: 'The same seed gives the same output where the server supports it; -1 = random',
		isInteger: true,
	},
	stop: {
		type: 'stringList',
		label: 'Stop Sequences',
		description: 'Sequences at which the model stops generating. Use \\n for a line break.',
		addButton: 'Add Stop Sequence',
	},
	maxTokens: {
		type: 'number',
		label: 'Maximum Tokens',
		defaultValue: 2048,
		description: 'Maximum number of tokens to generate, including thinking. -1 = no limit.',
		range: [-1, MAX_INTEGER],
		isInteger: true,
	},
	parallelToolCalls: {
		type: 'switch',
		label: 'Tools: Parallel Calls',
		description:
			'Whether the model may call several tools in one response, if its chat template supports it. Some models do so regardless.',
		extension: 'anyServer',
	},
	contextSize: {
		type: 'number',
		label: 'Context Size',
		defaultValue: 8192,
		description:
			'Context window in tokens for Ollama (num_ctx). Use the same value in every node: Ollama reloads the model on each change.',
		fieldName: 'num_ctx',
		extension: 'listedServers',
		range: [1, MAX_INTEGER],
		isInteger: true,
	},
	keepAlive: {
		type: 'duration',
		label: 'Keep Alive',
		description:
			'How long Ollama keeps the model in memory: a duration such as 30m, a number of seconds, or -1 to keep it loaded. Ollama only.',
		extension: 'listedServers',
		defaultValue: '30m',
		placeholder: 'e.g. 30m',
	},
} as const satisfies Record<string, GenerationOption>;

export type GenerationOptionName = keyof typeof GENERATION_OPTIONS;

interface ValueByType {
	number: number;
	switch: boolean;
	stringList: string[];
	duration: string | number;
}

/** The values of the options. Fields that are not set are not sent. */
export type GenerationOptionValues = {
	[Name in GenerationOptionName]?: ValueByType[(typeof GENERATION_OPTIONS)[Name]['type']];
};

/** An option with its name, and the field of the request that it fills. */
export type NamedGenerationOption = GenerationOption & {
	name: GenerationOptionName;
	fieldName: string;
};

/** Every option, in the order in which they are sent. */
export const GENERATION_OPTION_LIST: readonly NamedGenerationOption[] = Object.entries(
	GENERATION_OPTIONS,
).map(([name, option]: [string, GenerationOption]) => ({
	...option,
	name: name as GenerationOptionName,
	fieldName: option.fieldName ?? name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
}));
