import type { NumberRange } from '../../ranges';
import type { JsonRecord } from '../../values';

interface Common {
	/** The label in the editor. */
	label: string;
	description: string;
	/**
	 * Name of the field in the request; default: the option's name in snake_case. `fieldNames` of a kind of server
	 * overrides it.
	 */
	wire?: string;
	/** Not in OpenAI's API: sent only to kinds of servers that support it (`extraFields`). */
	extra?: true;
	/** Sent only to kinds of servers that list it in `ownFields`, not to unknown ones. */
	own?: true;
}

interface NumberSampler extends Common {
	type: 'number';
	/** Default: any number. */
	range?: NumberRange;
	/** Whether it must be an integer: llama-server truncates fractions, Ollama and vLLM refuse them. */
	whole?: true;
	/** What the editor fills in when the option is added. */
	preset: number;
	/** A drop-down in place of an input field. */
	choices?: ReadonlyArray<{ name: string; value: number }>;
}

/** The definition of an option that is sent unchanged. */
export type Sampler =
	| NumberSampler
	| (Common & { type: 'texts'; addButton: string; placeholder?: string })
	/** A duration: seconds, or a text such as `30m`. */
	| (Common & { type: 'duration'; preset: string; placeholder: string })
	| (Common & { type: 'switch' })
	| (Common & { type: 'object' })
	| (Common & { type: 'adapters' });

type Row<Type extends Sampler['type']> = Extract<Sampler, { type: Type }>;

/** A LoRA adapter that the server was started with, and its scale. */
export interface LoraAdapter {
	id: number;
	/** 0 = not at all, 1 = as it was trained. */
	scale: number;
}

const MAX_INTEGER = 2 ** 31 - 1;
const FRACTION = { range: [0, 1] } as const;
const PENALTY = { range: [-2, 2] } as const;
const COUNT = { range: [0, MAX_INTEGER], whole: true } as const;

const row = <Type extends Sampler['type']>(
	type: Type,
	label: string,
	description: string,
	more: Omit<Row<Type>, 'type' | 'label' | 'description'>,
) => ({ type, label, description, ...more }) as Row<Type>;

const number = (label: string, preset: number, description: string, more: Partial<NumberSampler>) =>
	row('number', label, description, { preset, ...more });

/**
 * The options of a generation, in the order in which they are sent. Their types, checks, editor fields and visibility
 * are all derived from these rows.
 *
 * Ranges are those of llama-server v0.5.0 (`tools/server/server-schema.cpp`) and of OpenAI's API.
 */
export const SAMPLERS = {
	temperature: number(
		'Temperature',
		0.7,
		'Higher is more random; 0 always takes the most likely token',
		{
			range: [0, 100],
		},
	),
	topP: number(
		'Top P',
		0.95,
		'Considers the most likely tokens until their probabilities add up to this; 1 = all',
		FRACTION,
	),
	topK: number('Top K', 40, 'Considers only this many of the most likely tokens; 0 = all', {
		extra: true,
		...COUNT,
	}),
	minP: number(
		'Min P',
		0.05,
		'Drops tokens that are less likely than this fraction of the most likely one',
		{
			extra: true,
			...FRACTION,
		},
	),
	typicalP: number('Typical P', 1, 'Prefers tokens of typical probability; 1 = off', {
		extra: true,
		...FRACTION,
	}),
	topNSigma: number(
		'Top N Sigma',
		1,
		'Drops tokens whose score is more than this many standard deviations below the best; 0 or -1 = off',
		{ extra: true, range: [-1, 100] },
	),
	repeatPenalty: number('Repeat Penalty', 1.1, 'Makes repetitions less likely; 1 = off', {
		extra: true,
		range: [0, 100],
	}),
	repeatLastN: number('Repeat Last N', 64, 'How many tokens the repeat penalty looks at; 0 = off', {
		extra: true,
		...COUNT,
	}),
	presencePenalty: number(
		'Presence Penalty',
		0,
		'Positive values make words that already occurred less likely',
		PENALTY,
	),
	frequencyPenalty: number(
		'Frequency Penalty',
		0,
		'Positive values make words less likely the more often they already occurred',
		PENALTY,
	),
	dryMultiplier: number(
		'DRY: Multiplier',
		0.8,
		'Strength of the DRY sampler against repetitions; 0 = off',
		{
			extra: true,
		},
	),
	dryBase: number(
		'DRY: Base',
		1.75,
		'How fast the penalty grows with the length of the repetition',
		{ extra: true },
	),
	dryAllowedLength: number('DRY: Allowed Length', 2, 'Longest repetition that costs nothing', {
		extra: true,
		...COUNT,
	}),
	dryPenaltyLastN: number(
		'DRY: Penalty Last N',
		64,
		'How many tokens the DRY sampler looks at; 0 = off',
		{
			extra: true,
			...COUNT,
		},
	),
	drySequenceBreakers: row(
		'texts',
		'DRY: Sequence Breakers',
		'Texts that end a repetition. Write \\n for a line break.',
		{ extra: true, addButton: 'Add Breaker', placeholder: '\\n' },
	),
	xtcProbability: number(
		'XTC: Probability',
		0.5,
		'How often the most likely tokens are left out; 0 = off',
		{
			extra: true,
			...FRACTION,
		},
	),
	xtcThreshold: number('XTC: Threshold', 0.1, 'How likely a token must be to be left out', {
		extra: true,
		...FRACTION,
	}),
	mirostat: number(
		'Mirostat',
		0,
		'Keeps the text equally surprising throughout; replaces Top K, Top P and Min P',
		{
			extra: true,
			range: [0, 2],
			whole: true,
			choices: [
				{ name: 'Off', value: 0 },
				{ name: 'Version 1', value: 1 },
				{ name: 'Version 2', value: 2 },
			],
		},
	),
	mirostatTau: number('Mirostat: Tau', 5, 'How surprising the text should be', { extra: true }),
	mirostatEta: number('Mirostat: Eta', 0.1, 'How fast Mirostat adapts', { extra: true }),
	seed: number(
		'Seed',
		42,
		'The same seed gives the same answer, as far as the server can; -1 = random',
		{
			whole: true,
		},
	),
	stop: row(
		'texts',
		'Stop Sequences',
		'Texts at which the answer ends. Write \\n for a line break.',
		{
			addButton: 'Add Stop Sequence',
		},
	),
	maxTokens: number(
		'Maximum Tokens',
		2048,
		'How many tokens to generate at most, thinking included. -1 = no limit.',
		{
			range: [-1, MAX_INTEGER],
			whole: true,
		},
	),
	parallelToolCalls: row(
		'switch',
		'Parallel Tool Calls',
		'Whether the model may call several tools in one answer, where its template can. Some models do so regardless.',
		{ extra: true },
	),
	cachePrompt: row(
		'switch',
		'Cache Prompt',
		'Whether the server may reuse what it computed for the same beginning of an earlier prompt. On by default in llama-server.',
		{ extra: true },
	),
	cacheReuse: number(
		'Cache Reuse',
		128,
		'Shortest piece of an earlier prompt, in tokens, that llama-server may reuse although something before it was left out, as when the memory drops old messages. Try 128; 0 = off.',
		{ wire: 'n_cache_reuse', extra: true, own: true, ...COUNT },
	),
	slotId: number(
		'Slot ID',
		0,
		'Slot of the server that is to be used, for a prompt cache of its own; waits until that slot is free. -1 = any.',
		{ wire: 'id_slot', extra: true, range: [-1, MAX_INTEGER], whole: true },
	),
	chatTemplateArguments: row(
		'object',
		'Chat Template Arguments',
		'JSON object handed to the chat template of the model (chat_template_kwargs)',
		{ wire: 'chat_template_kwargs', extra: true },
	),
	lora: row(
		'adapters',
		'LoRA Adapters',
		'Adapters of llama-server (--lora) for this answer, and how strongly they count',
		{ extra: true, own: true },
	),
	contextSize: number(
		'Context Size',
		8192,
		'Tokens of context that Ollama runs the model with (num_ctx). Use the same in every node: each change loads the model anew.',
		{ wire: 'num_ctx', extra: true, own: true, range: [1, MAX_INTEGER], whole: true },
	),
	keepAlive: row(
		'duration',
		'Keep Alive',
		'How long Ollama keeps the model in memory: a duration such as 30m, a number of seconds, or -1 for ever. Ollama only.',
		{ extra: true, own: true, preset: '30m', placeholder: 'e.g. 30m' },
	),
} as const satisfies Record<string, Sampler>;

export type SamplerName = keyof typeof SAMPLERS;

interface ValueOf {
	number: number;
	switch: boolean;
	texts: string[];
	object: JsonRecord;
	duration: string | number;
	adapters: LoraAdapter[];
}

/** The values of the options. Fields that are not set are not sent. */
export type SamplerValues = { [Name in SamplerName]?: ValueOf[(typeof SAMPLERS)[Name]['type']] };

/** Every option with its name and field, in the order in which they are sent. */
export const SAMPLER_ENTRIES: ReadonlyArray<[SamplerName, Sampler & { wire: string }]> =
	Object.entries(SAMPLERS).map(([name, sampler]: [string, Sampler]) => [
		name as SamplerName,
		{
			...sampler,
			wire: sampler.wire ?? name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
		},
	]);
