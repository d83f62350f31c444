/** Continues a text without the chat template of the model. */
import { withContextSuggestion } from '../chat/suggestions';
import { parseOpenAiUsage, parseTimings } from '../chat/usage';
import { toUsageFields, getContextWarnings, toOllamaBody } from '../chat/ollama-body';
import { assertValidParameters, toParameterFields } from '../chat/parameters';
import type { ChatSettings, Timings, Usage } from '../chat/types';
import { classifyStreamError, hasError } from '../errors/classify-error';
import { createServerError, createInputError } from '../errors/create-error';
import { captureError } from '../errors/server-error';
import type { HttpResponse } from '../http/types';
import { TextCount } from '../http/response-body';
import { toErrorContext } from '../http/request-errors';
import { parseObject } from '../json';
import { assertModelName } from '../servers/model-names';
import { omitStreamOptions } from '../exchange/adaptations';
import { getRoutes } from '../exchange/routes';
import { getRecognizedTypeName, getServerType } from '../servers/types';
import type { ModelServer, ServerType } from '../servers/types/server-type';
import { getTruncationWarnings } from '../servers/truncation';
import {
	isRecord,
	type JsonRecord,
	asNonEmptyString,
	omitUndefined,
	asRecords,
	asString,
} from '../values';
import { parseTokenSizes } from './batches';
import { explainUnsupportedRoute, runTask, type TaskSettings } from './run-task';

export type CompleteSettings = TaskSettings & Pick<ChatSettings, 'parameters'>;

export interface TextCompletion {
	text: string;
	/** `stop`, `length`, or another reason of the server. */
	finishReason?: string;
	usage?: Usage;
	timings?: Timings;
	model?: string;
}

/**
 * @param prompt a text, or the IDs of its tokens
 * @throws {ServerError} with the received text in `partialText`
 */
export async function completeText(
	server: ModelServer,
	settings: CompleteSettings,
	prompt: string | number[],
	onDelta?: (delta: string) => Promise<void>,
): Promise<TextCompletion & { server?: string; warnings: string[] }> {
	const { model, parameters } = settings;
	assertModelName(model);
	assertValidParameters(parameters);
	const serverType = await getServerType(server, settings.signal);
	const contextWarnings = getContextWarnings(serverType, server, settings);
	let partialText = '';
	const { extraBody } = parameters;
	const { value, warnings } = await runTask(server, settings, {
		routes: getRoutes(serverType, 'complete'),
		toBody: (route) =>
			route === 'ollamaGenerate'
				? buildRawOllamaBody(settings, prompt)
				: { ...toOpenAiBody(settings, serverType, prompt), ...extraBody },
		...omitUndefined({ extraBody }),
		operation: 'text_completion',
		adaptations: { field: [omitStreamOptions] },
		isPreemptible: onDelta === undefined,
		read: async (response) => {
			partialText = '';
			return await readTextCompletion(
				response,
				toErrorContext(server, response.url, model),
				async (delta) => {
					partialText += delta;
					await onDelta?.(delta);
				},
			);
		},
		getPartial: () => ({ text: partialText, reasoning: '' }),
		getShownLength: () => (onDelta === undefined ? 0 : partialText.length),
		getUsage: ({ usage }) => usage ?? {},
	}).catch(async (error: unknown) => {
		const serverError = captureError(error);
		const contextError = await withContextSuggestion(
			serverError,
			{ server, serverType, model, tokens: parseTokenSizes(serverError)?.tokens },
			'Or shorten the text.',
		);
		const unsupported = {
			action: 'complete text',
			getSuggestion: () => 'Use Chat instead of Complete.',
			model,
		};
		throw await explainUnsupportedRoute(server, contextError, unsupported);
	});
	const texts = typeof prompt === 'string' ? [prompt] : [];
	const truncationWarnings = await getTruncationWarnings(server, {
		texts,
		processedTokens: value.usage?.promptTokens,
		model,
	});
	return {
		...value,
		...omitUndefined({ server: getRecognizedTypeName(server) }),
		warnings: [...warnings, ...truncationWarnings, ...contextWarnings],
	};
}

function toOpenAiBody(
	{ parameters }: CompleteSettings,
	serverType: ServerType,
	prompt: string | number[],
): JsonRecord {
	return {
		prompt,
		stream: true,
		stream_options: { include_usage: true },
		...toParameterFields(parameters, serverType),
	};
}

/** For Ollama's own route. `raw` skips the chat template of the model. */
function buildRawOllamaBody(
	{ model, parameters }: CompleteSettings,
	prompt: string | number[],
): JsonRecord {
	if (typeof prompt !== 'string')
		throw createInputError(
			'This server accepts prompts as text only, not as tokens',
			'Enter the prompt as text.',
		);
	const body = toOllamaBody({ model, messages: [], tools: [], parameters });
	// An unknown token ID in `context` crashes the whole server (seen with 0.17.4).
	const fields = Object.entries(body).filter(([name]) => !['messages', 'context'].includes(name));
	return { prompt, raw: true, truncate: false, ...Object.fromEntries(fields) };
}

async function readTextCompletion(
	response: HttpResponse,
	context: ReturnType<typeof toErrorContext>,
	onDelta: (delta: string) => Promise<void>,
): Promise<TextCompletion> {
	const completion: TextCompletion = { text: '' };
	const counter = new TextCount();
	let hasEnded = false;
	const handleEvent = async (data: string) => {
		if (data.trim() === '[DONE]') hasEnded = true;
		const event = parseObject(data) ?? {};
		if (hasError(event.error)) throw classifyStreamError(data, context);
		const [choice = event] = asRecords(event.choices);
		const delta = asString(choice.text) ?? asString(choice.response) ?? '';
		const reason = asNonEmptyString(choice.finish_reason) ?? asNonEmptyString(choice.done_reason);
		hasEnded ||= reason !== undefined || event.done === true;
		completion.text += delta;
		counter.add(delta.length);
		Object.assign(completion, omitUndefined({ ...parseFacts(event), finishReason: reason }));
		if (delta === '') return;
		response.markContent();
		await onDelta(delta);
	};
	try {
		for await (const events of response.events()) {
			for (const data of events) await handleEvent(data);
			if (hasEnded) response.expectEnd();
		}
	} catch (error) {
		// The response is complete, so errors of the open socket are ignored.
		if (!hasEnded) throw captureError(error);
	}
	if (hasEnded) return completion;
	const serverText = response.getNonEventLines().join('\n') || undefined;
	const type = serverText === undefined ? 'streamEndedEarly' : 'streamError';
	throw createServerError(type, context, omitUndefined({ serverText }));
}

function parseFacts(event: JsonRecord): Partial<TextCompletion> {
	const { usage, timings } = event.done === true ? toUsageFields(event) : event;
	return {
		usage: parseOpenAiUsage(usage),
		timings: isRecord(timings) ? parseTimings(timings) : undefined,
		model: asNonEmptyString(event.model),
	};
}
