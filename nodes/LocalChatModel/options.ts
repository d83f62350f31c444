import type { IDisplayOptions, INodeProperties } from 'n8n-workflow';

/** Shown where llama-server may answer. */
const LLAMA: IDisplayOptions = { show: { '/serverType': ['auto', 'llamaServer', 'other'] } };
/** Shown where llama-server or vLLM may answer; Ollama's /v1 routes ignore these without a word. */
const NOT_OLLAMA: IDisplayOptions = { show: { '/serverType': ['auto', 'llamaServer', 'vllm', 'other'] } };

function fraction(
	displayName: string,
	name: string,
	value: number,
	description: string,
	displayOptions?: IDisplayOptions,
): INodeProperties {
	return {
		displayName,
		name,
		type: 'number',
		typeOptions: { minValue: 0, maxValue: 1, numberPrecision: 3 },
		default: value,
		description,
		...(displayOptions === undefined ? {} : { displayOptions }),
	};
}

function number(
	displayName: string,
	name: string,
	value: number,
	description: string,
	more: Partial<INodeProperties> = {},
): INodeProperties {
	return { displayName, name, type: 'number', default: value, description, ...more };
}

export const optionsField: INodeProperties = {
	displayName: 'Options',
	name: 'options',
	type: 'collection',
	placeholder: 'Add Option',
	default: {},
	description: 'An option that is not added is not sent, so the settings of the server count',
	options: [
		{
			displayName: 'Cache Prompt',
			name: 'cachePrompt',
			type: 'boolean',
			default: true,
			displayOptions: LLAMA,
			description:
				'Whether the server may reuse what it computed for the same beginning of an earlier prompt. On by default in llama-server.',
		},
		{
			displayName: 'Chat Template Arguments',
			name: 'chatTemplateArguments',
			type: 'json',
			default: '{}',
			displayOptions: NOT_OLLAMA,
			description: 'JSON object handed to the chat template of the model (chat_template_kwargs)',
		},
		number('DRY: Allowed Length', 'dryAllowedLength', 2, 'Longest repetition that costs nothing', {
			displayOptions: LLAMA,
			typeOptions: { minValue: 0, numberPrecision: 0 },
		}),
		number('DRY: Base', 'dryBase', 1.75, 'How fast the penalty grows with the length of the repetition', {
			displayOptions: LLAMA,
			typeOptions: { numberPrecision: 2 },
		}),
		number('DRY: Multiplier', 'dryMultiplier', 0.8, 'Strength of the DRY sampler against repetitions; 0 = off', {
			displayOptions: LLAMA,
			typeOptions: { numberPrecision: 2 },
		}),
		number('DRY: Penalty Last N', 'dryPenaltyLastN', 64, 'Tokens that are looked at; 0 = off', {
			displayOptions: LLAMA,
			typeOptions: { minValue: 0, numberPrecision: 0 },
		}),
		{
			displayName: 'DRY: Sequence Breakers',
			name: 'drySequenceBreakers',
			type: 'string',
			typeOptions: { multipleValues: true, multipleValueButtonText: 'Add Breaker' },
			default: [],
			placeholder: '\\n',
			displayOptions: LLAMA,
			description: 'Texts that end a repetition. Write \\n for a line break.',
		},
		{
			displayName: 'Extra Body',
			name: 'extraBody',
			type: 'json',
			default: '{}',
			description: 'JSON object that is merged into the request last, for fields this node does not offer',
		},
		number(
			'First Token Limit (Seconds)',
			'firstTokenLimit',
			1800,
			'How long to wait for the first token: queue, loading of the model and reading of the prompt included. 0 = no limit.',
			{
				typeOptions: { minValue: 0 },
			},
		),
		number(
			'Frequency Penalty',
			'frequencyPenalty',
			0,
			'Positive values make words less likely the more often they occurred',
			{
				typeOptions: { minValue: -2, maxValue: 2, numberPrecision: 2 },
			},
		),
		number('Idle Limit (Seconds)', 'idleLimit', 300, 'How long the answer may pause once it has begun. 0 = no limit.', {
			typeOptions: { minValue: 0 },
		}),
		number('Maximum Tokens', 'maxTokens', 2048, 'Most tokens to generate, thinking included. -1 = no limit.', {
			typeOptions: { minValue: -1, numberPrecision: 0 },
		}),
		fraction(
			'Min P',
			'minP',
			0.05,
			'Drops tokens that are less likely than this fraction of the likeliest one',
			NOT_OLLAMA,
		),
		{
			displayName: 'Mirostat',
			name: 'mirostat',
			type: 'options',
			default: 0,
			options: [
				{ name: 'Off', value: 0 },
				{ name: 'Version 1', value: 1 },
				{ name: 'Version 2', value: 2 },
			],
			displayOptions: LLAMA,
			description: 'Keeps the surprise of the text steady, in place of Top K, Top P and Min P',
		},
		number('Mirostat: Eta', 'mirostatEta', 0.1, 'How fast Mirostat corrects', {
			displayOptions: LLAMA,
			typeOptions: { numberPrecision: 2 },
		}),
		number('Mirostat: Tau', 'mirostatTau', 5, 'The surprise that Mirostat aims at', {
			displayOptions: LLAMA,
			typeOptions: { numberPrecision: 2 },
		}),
		{
			displayName: 'Parallel Tool Calls',
			name: 'parallelToolCalls',
			type: 'boolean',
			default: true,
			displayOptions: NOT_OLLAMA,
			description:
				'Whether the model may call several tools in one answer, where its template can. Some models do it all the same.',
		},
		number('Presence Penalty', 'presencePenalty', 0, 'Positive values make words that occurred less likely', {
			typeOptions: { minValue: -2, maxValue: 2, numberPrecision: 2 },
		}),
		number('Repeat Last N', 'repeatLastN', 64, 'Tokens the repeat penalty looks at; 0 = off', {
			displayOptions: LLAMA,
			typeOptions: { minValue: 0, numberPrecision: 0 },
		}),
		number('Repeat Penalty', 'repeatPenalty', 1.1, 'Makes repetitions less likely; 1 = off', {
			displayOptions: NOT_OLLAMA,
			typeOptions: { minValue: 0, numberPrecision: 2 },
		}),
		number(
			'Retries',
			'maxRetries',
			2,
			'Tries after a refused connection or a server that is too busy. A generation that may have started is never sent again; a model that is loading is waited for within the First Token Limit.',
			{
				typeOptions: { minValue: 0, maxValue: 20, numberPrecision: 0 },
			},
		),
		number('Seed', 'seed', 42, 'The same seed gives the same answer, as far as the server can; -1 = random', {
			typeOptions: { numberPrecision: 0 },
		}),
		{
			displayName: 'Send Thinking Back',
			name: 'reasoningEcho',
			type: 'options',
			default: 'toolTurns',
			options: [
				{ name: 'Always', value: 'always', description: 'With every message of the conversation that has it' },
				{
					name: 'In Tool Turns',
					value: 'toolTurns',
					description: 'While the model calls tools for one question. Models expect that.',
				},
				{ name: 'Never', value: 'off' },
			],
			description: 'Whether the model gets its own thinking back with the results of its tools',
		},
		{
			displayName: 'Show Thinking in Answer',
			name: 'showThinking',
			type: 'boolean',
			default: false,
			description:
				'Whether the thinking is put in front of the answer between think tags. It is in the execution log in any case.',
		},
		number(
			'Slot ID',
			'slotId',
			0,
			'Slot of the server that is to be used, for a prompt cache of its own. Waits until that slot is free.',
			{
				displayOptions: LLAMA,
				typeOptions: { minValue: 0, numberPrecision: 0 },
			},
		),
		{
			displayName: 'Stop Sequences',
			name: 'stop',
			type: 'string',
			typeOptions: { multipleValues: true, multipleValueButtonText: 'Add Stop Sequence' },
			default: [],
			description: 'Texts at which the answer ends. Write \\n for a line break.',
		},
		number('Temperature', 'temperature', 0.7, 'Higher is more random; 0 always takes the likeliest token', {
			typeOptions: { minValue: 0, maxValue: 100, numberPrecision: 2 },
		}),
		{
			displayName: 'Tool Choice',
			name: 'toolChoice',
			type: 'options',
			default: 'auto',
			options: [
				{ name: 'Automatic', value: 'auto', description: 'The model decides' },
				{ name: 'None', value: 'none', description: 'The model sees the tools but does not call them' },
				{
					name: 'Required',
					value: 'required',
					description: 'The model must call a tool first; once one has answered, it decides',
				},
			],
			displayOptions: NOT_OLLAMA,
			description: 'Whether tools may or must be called. A choice that the agent makes itself comes first.',
		},
		number('Top K', 'topK', 40, 'Considers only so many of the likeliest tokens; 0 = all', {
			displayOptions: NOT_OLLAMA,
			typeOptions: { minValue: 0, numberPrecision: 0 },
		}),
		fraction('Top P', 'topP', 0.95, 'Considers the likeliest tokens up to this sum of probabilities; 1 = all'),
		number('Total Limit (Seconds)', 'totalLimit', 0, 'How long the whole answer may take. 0 = no limit.', {
			typeOptions: { minValue: 0 },
		}),
		fraction('Typical P', 'typicalP', 1, 'Prefers tokens of typical probability; 1 = off', LLAMA),
		fraction('XTC: Probability', 'xtcProbability', 0.5, 'How often the likeliest tokens are left out; 0 = off', LLAMA),
		fraction('XTC: Threshold', 'xtcThreshold', 0.1, 'How likely a token must be to be left out', LLAMA),
	],
};
