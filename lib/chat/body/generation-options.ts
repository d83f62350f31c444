/** The options of a generation: how the editor shows them, and the field that each fills. */
import { checkNumber, checkPlainText } from '../../fields/check-value';
import type {
	NameField,
	NumberField,
	SwitchField,
	TextsField,
	ValueOf,
	ValueSource,
} from '../../fields/field';
import { createOptionError } from '../../fields/field-errors';
import { keepAliveField } from '../../fields/keep-alive';
import { CONTROLS } from '../../text/literals';
import { getOwn } from '../../values/own-properties';
import { isUnset } from '../../values/records';

/** How an option is sent. */
interface SentOption {
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

/** The definition of an option that is sent unchanged. */
export type GenerationOption = SentOption & (NumberField | TextsField | NameField | SwitchField);

const MAX_INTEGER = 2 ** 31 - 1;
const FRACTION = { range: [0, 1], decimals: 3 } as const;
const PENALTY = { range: [-2, 2], decimals: 2 } as const;
const COUNT = { range: [0, MAX_INTEGER], isInteger: true } as const;
/** -1 is no limit. */
const TOKEN_COUNT = { range: [-1, MAX_INTEGER], isInteger: true } as const;

/**
 * The options of a generation, in the order in which they are sent. Their types, checks, editor fields and visibility
 * are all derived from these rows.
 *
 * Ranges are those of llama-server v0.5.0 (`tools/server/server-schema.cpp`) and of OpenAI's API.
 */
export const GENERATION_OPTIONS = {
	temperature: {
		kind: 'number',
		label: 'Temperature',
		default: 0.7,
		description: 'Higher is more random; 0 always takes the most likely token',
		range: [0, 100],
		decimals: 2,
	},
	topP: {
		kind: 'number',
		label: 'Top P',
		default: 0.95,
		description:
			'Considers only the most likely tokens whose probabilities add up to this value; 1 = all',
		...FRACTION,
	},
	topK: {
		kind: 'number',
		label: 'Sampling: Top K',
		default: 40,
		description: 'Considers only this many of the most likely tokens; 0 = all',
		extension: 'anyServer',
		...COUNT,
	},
	minP: {
		kind: 'number',
		label: 'Sampling: Min P',
		default: 0.05,
		description: 'Drops tokens less likely than this fraction of the most likely token',
		extension: 'anyServer',
		...FRACTION,
	},
	repeatPenalty: {
		kind: 'number',
		label: 'Sampling: Repeat Penalty',
		default: 1.1,
		description: 'Reduces repetition; 1 = off',
		extension: 'anyServer',
		range: [0, 100],
		decimals: 2,
	},
	repeatLastN: {
		kind: 'number',
		label: 'Sampling: Repeat Last N',
		default: 64,
		description: 'How many recent tokens the repeat penalty considers; 0 = off',
		extension: 'anyServer',
		...COUNT,
	},
	presencePenalty: {
		kind: 'number',
		label: 'Sampling: Presence Penalty',
		default: 0,
		description: 'Positive values make words that already occurred less likely',
		...PENALTY,
	},
	frequencyPenalty: {
		kind: 'number',
		label: 'Sampling: Frequency Penalty',
		default: 0,
		description: 'Positive values make words less likely the more often they have occurred',
		...PENALTY,
	},
	mirostat: {
		kind: 'number',
		label: 'Sampling: Mirostat',
		default: 0,
		description: 'Keeps the perplexity of the output constant; replaces Top K, Top P and Min P',
		extension: 'anyServer',
		range: [0, 2],
		isInteger: true,
		menu: [
			{ name: 'Off', value: 0 },
			{ name: 'Version 1', value: 1 },
			{ name: 'Version 2', value: 2 },
		],
	},
	mirostatTau: {
		kind: 'number',
		label: 'Sampling: Mirostat Tau',
		default: 5,
		description: 'Target perplexity of the output',
		decimals: 2,
		extension: 'anyServer',
	},
	mirostatEta: {
		kind: 'number',
		label: 'Sampling: Mirostat Eta',
		default: 0.1,
		description: 'How quickly Mirostat adapts',
		decimals: 2,
		extension: 'anyServer',
	},
	seed: {
		kind: 'number',
		label: 'Sampling: Seed',
		default: 42,
		description: 'The same seed gives the same output where the server supports it; -1 = random',
		isInteger: true,
	},
	stop: {
		kind: 'texts',
		label: 'Stop Sequences',
		description: 'Sequences at which the model stops generating. Use \\n for a line break.',
		button: 'Add Stop Sequence',
		parse: parseStopSequences,
	},
	maxTokens: {
		kind: 'number',
		label: 'Maximum Tokens',
		default: 2048,
		description: 'Maximum number of tokens to generate, including thinking. -1 = no limit.',
		...TOKEN_COUNT,
		parse: parseTokenCount,
	},
	parallelToolCalls: {
		kind: 'switch',
		default: true,
		label: 'Tools: Parallel Calls',
		description:
			'Whether the model may call several tools in one response, if its chat template supports it. Some models do so regardless.',
		extension: 'anyServer',
	},
	contextSize: {
		kind: 'number',
		label: 'Context Size',
		default: 8192,
		description:
			'Context window in tokens for Ollama (num_ctx). Use the same value in every node: Ollama reloads the model on each change.',
		fieldName: 'num_ctx',
		extension: 'listedServers',
		range: [1, MAX_INTEGER],
		isInteger: true,
	},
	keepAlive: { ...keepAliveField, default: '30m', extension: 'listedServers' },
} as const satisfies Record<string, GenerationOption>;

export type GenerationOptionName = keyof typeof GENERATION_OPTIONS;

/** The values of the options. Fields that are not set are not sent. */
export type GenerationOptionValues = {
	[Name in GenerationOptionName]?: ValueOf<(typeof GENERATION_OPTIONS)[Name]>;
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

/** Texts with their escapes replaced; undefined if all are empty. */
function parseStopSequences(value: unknown, source: ValueSource): string[] | undefined {
	const texts = [value].flat(2).filter((text) => !isUnset(text));
	if (texts.length === 0) return undefined;
	return texts.map((text) =>
		checkPlainText(source, text).replace(
			/\\([nrt\\])/g,
			(_escape, letter: string) => getOwn(CONTROLS, letter) ?? letter,
		),
	);
}

function parseTokenCount(value: unknown, { label }: ValueSource): number {
	const count = checkNumber({ label, ...TOKEN_COUNT }, value);
	// llama-server reads 0 as "at least one token", which is never intended.
	if (count === 0)
		throw createOptionError({ label }, 'must be at least 1, or -1 for no limit, but is 0');
	return count;
}
