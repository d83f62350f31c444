import { runTurn } from '../../../lib/chat/turn';
import type {
	ChatSettings,
	ChatResult,
	InputMessage,
	Timings,
	ChatParameters,
	Thinking,
	ResponseFormat,
} from '../../../lib/chat/types';
import { rethrowWith } from '../../../lib/errors/server-error';
import type { SentFile } from '../../../lib/files/file-errors';
import { withFileNames } from '../../../lib/files/file-errors';
import { omitEmpty, omitUndefined } from '../../../lib/values/records';
import { round } from '../../../lib/values/numbers';
import type { JsonRecord } from '../../../lib/values/records';
import type { GenerationUsage } from '../../shared/token-totals';
import { addFailedTokenTotals, addTokenTotals } from '../../shared/token-totals';
import type { LlamaCall } from '../operation';
import { countTokens, readMediaSettings } from '../operation';
import {
	DEFAULT_THINKING_BUDGET,
	thinkingFields,
	toOptionFields,
	requestFields,
	generationOptionFields,
	readGeneration,
} from '../../shared/chat/generation';
import { longTextField, streamingField, stringField } from '../../shared/field-builders';
import { readBuffer } from '../../../lib/http/response-body';
import type { ContentPart } from '../../../lib/files/read-file';
import { readFile } from '../../../lib/files/read-file';
import { createFileSource, splitNames } from '../../shared/binary';
import type { INodeProperties } from 'n8n-workflow';
import type { Priority } from '../../../lib/http/queue';
import type { ServerTypeName } from '../../../lib/servers/types/server-type';

const SHORT_TEXT_OPTIONS = ['contextSize', 'keepAlive', 'maxTokens', 'temperature'];

const TEXT_OPTIONS = [...SHORT_TEXT_OPTIONS, 'repeatPenalty', 'seed', 'stop', 'topK', 'topP'];

function selectOptions(names: string[]) {
	return generationOptionFields.filter(({ name }) => names.includes(name));
}

/** Options of operations with a short, most likely response. Extra Body accepts all others. */
export const shortTextOptions: INodeProperties[] = [
	...selectOptions(SHORT_TEXT_OPTIONS),
	...requestFields,
];

/** Options of operations that generate text. */
export const textOptions: INodeProperties[] = [
	...selectOptions(TEXT_OPTIONS),
	...requestFields,
	streamingField,
];

const OTHER_VALUES = `For an effort other than medium, or a budget other than ${DEFAULT_THINKING_BUDGET}, also add the option "Thinking Effort" or "Thinking Token Budget".`;

export const thinkingOptions: INodeProperties[] = toOptionFields(
	thinkingFields,
	'off',
	`If not set, the server's setting applies. ${OTHER_VALUES}`,
);

/** Off if not set, since thinking takes most of the time of such an operation. */
export const quickThinkingOptions: INodeProperties[] = toOptionFields(
	thinkingFields,
	'on',
	`Off if not set. ${OTHER_VALUES}`,
);

export const textField: INodeProperties = longTextField('Text', 'text', 4, {
	placeholder: 'e.g. {{ $json.text }}',
	description: 'May be empty if the item has an image or audio',
});

/** Option for context. */
export const instructionsField: INodeProperties = longTextField('Instructions', 'instructions', 2, {
	placeholder: 'e.g. The text is a customer email. Amounts are in euros.',
	description:
		'Additional context for the model. Keep it the same for all items, so that the server can reuse its prompt cache.',
});

/** Reads the settings of a task that generates text. */
export async function readTaskSettings(
	call: LlamaCall,
	defaults: ChatParameters = {},
): Promise<{
	parameters: {
		responseFormat?: ResponseFormat;
		thinking?: Thinking;
		extraBody?: JsonRecord;
		contextSize?: number | undefined;
		keepAlive?: string | number | undefined;
		maxTokens?: number | undefined;
		temperature?: number | undefined;
		stop?: string[] | undefined;
		parallelToolCalls?: boolean | undefined;
		topP?: number | undefined;
		topK?: number | undefined;
		minP?: number | undefined;
		repeatPenalty?: number | undefined;
		repeatLastN?: number | undefined;
		presencePenalty?: number | undefined;
		frequencyPenalty?: number | undefined;
		mirostat?: number | undefined;
		mirostatTau?: number | undefined;
		mirostatEta?: number | undefined;
		seed?: number | undefined;
	};
	priority: Priority;
	signal: AbortSignal;
	timeouts: {
		firstTokenMs?: number | undefined;
		idleMs?: number | undefined;
		totalMs?: number | undefined;
	};
	retries: number;
	model: string;
}> {
	const parameters = { ...defaults, ...readGeneration(call.parameters) };
	return { ...(await readMediaSettings(call, 'chat')), parameters };
}

/** Generates a response and streams it to the chat. If the chat is closed, the generation is canceled. */
export async function generate(
	call: LlamaCall,
	settings: Omit<ChatSettings, 'showThinking'>,
	messages: readonly InputMessage[],
	files: readonly SentFile[],
): Promise<ChatResult> {
	const { server, typing } = call;
	const closedChat = new AbortController();
	let writes = Promise.resolve();
	const onDelta = (delta: string) => {
		writes = writes.then(async () => await typing?.write(delta));
		writes.catch(() => closedChat.abort());
	};
	const isBuffered = typing === undefined;
	const signal = isBuffered ? call.signal : AbortSignal.any([call.signal, closedChat.signal]);
	const chatRequest = { messages, signal, isBuffered };
	const turn = runTurn({
		server,
		settings: { ...settings, showThinking: false },
		chatRequest,
		onDelta,
	});
	const result = await turn
		.catch(rethrowWith((error) => withFileNames(error, files)))
		.catch(async (error: unknown) => {
			// Throws the error of a closed chat first.
			await writes;
			addFailedTokenTotals(call.context, error);
			throw error;
		});
	await writes;
	reportResult(call, result);
	return result;
}

/** Shows warnings and token counts of a result in n8n. */
export function reportResult(
	call: LlamaCall,
	result: Pick<ChatResult, 'warnings'> & GenerationUsage,
): void {
	const { warnings, usage } = result;
	warnings.forEach(call.hint);
	addTokenTotals(call.context, result);
	if (usage) countTokens(call, usage);
}

/** Metadata of a result for its item. */
export function toMetadata(result: Omit<ChatResult, 'text' | 'toolCalls' | 'warnings'>): {
	model: string | undefined;
	server: ServerTypeName | undefined;
	timesPreempted: unknown;
	usage?:
		| {
				cachedTokens?: number;
				promptTokens: number;
				completionTokens: number;
				totalTokens: number;
				reasoningTokens?: number;
				estimated?: true;
		  }
		| undefined;
	timings?: Timings | undefined;
	finishReason: string;
	reasoning?: string | undefined;
} {
	const { reasoning, finishReason, model, serverType, logFields } = result;
	return {
		...(reasoning !== '' && { reasoning }),
		finishReason,
		...toUsageMetadata(result),
		model,
		server: serverType,
		timesPreempted: logFields?.timesPreempted,
	};
}

/** Timings that repeat a count of the usage, or the speed per token instead of per second. */
const REPEATED_TIMINGS = new Set([
	'cache_n',
	'prompt_n',
	'prompt_per_token_ms',
	'predicted_n',
	'predicted_per_token_ms',
]);

/** Usage and timings, with each number once and rounded. */
export function toUsageMetadata({
	usage,
	timings,
}: Pick<ChatResult, 'usage' | 'timings'>): Partial<{
	usage:
		| {
				cachedTokens?: number;
				promptTokens: number;
				completionTokens: number;
				totalTokens: number;
				reasoningTokens?: number;
				estimated?: true;
		  }
		| undefined;
	timings: Timings;
}> {
	const cachedTokens = usage?.cachedTokens ?? timings?.cache_n;
	return omitEmpty({
		usage: usage && { ...usage, ...omitUndefined({ cachedTokens }) },
		timings: roundTimings(timings ?? {}),
	});
}

function roundTimings(timings: Timings): Timings {
	return Object.fromEntries(
		Object.entries(timings)
			.filter(([name]) => !REPEATED_TIMINGS.has(name))
			.map(([name, value]) => [name, round(value, name.endsWith('_ms') ? 1 : 2)]),
	);
}

/** Option for files. `usage`: sentence that says how the files are used. */
export function binaryFieldsField(usage: string): INodeProperties {
	return stringField('Input Binary Fields', 'binaryFields', {
		placeholder: 'e.g. data, data2',
		description: `Names of the binary fields with images, audio (wav, mp3, flac), video, emails or text, separated by commas. ${usage}`,
	});
}

/** Files of an item, for the model and for errors. */
interface ItemFiles {
	parts: ContentPart[];
	files: SentFile[];
}

/**
 * Reads the item's files. Names are text, or a list from an expression.
 * Throws a `ServerError` of type `invalidInput` for a file that no model server supports.
 */
export async function readItemFiles(call: LlamaCall): Promise<ItemFiles> {
	const { parameters, context, itemIndex } = call;
	const fields = parameters.value('options.binaryFields');
	const names = Array.isArray(fields)
		? fields.map(String)
		: splitNames(parameters.rawString('options.binaryFields'));
	const itemFiles: ItemFiles = { parts: [], files: [] };
	for (const property of names) {
		const { name, mimeType, open } = await createFileSource(context, itemIndex, property);
		const bytes = await readBuffer(open());
		const { part, warnings } = await readFile({ name, mimeType, bytes });
		warnings.forEach((warning) => call.hint(warning));
		itemFiles.parts.push(part);
		itemFiles.files.push({ name, mimeType, size: bytes.byteLength, head: bytes.subarray(0, 4096) });
	}
	return itemFiles;
}

/**
 * Reads the text of the item with its files.
 * Throws a `ServerError` of type `invalidInput` if there is neither, or for a file that no model server supports.
 */
export async function readPromptInput(
	call: LlamaCall,
): Promise<{ input: InputMessage; files: SentFile[] }> {
	const { parameters } = call;
	const text = parameters.rawString('text');
	const isBlank = text.trim() === '';
	const { parts, files } = await readItemFiles(call);
	// A model would invent something.
	if (isBlank && parts.length === 0) throw parameters.createError('text', 'is empty');
	return { input: { type: 'human', content: isBlank ? '' : text, files: parts }, files };
}
