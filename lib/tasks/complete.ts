/** Continues a text without the chat template of the model. */
import { CompletionReader } from '../chat/read/completion-reader';
import { createCompletionError } from '../chat/read/completion-error';
import { describeIgnoredEnd } from '../chat/read/ignored-end';
import { toOllamaBody } from '../chat/body/ollama-body';
import { getContextWarnings } from '../chat/body/context-warnings';
import { getIgnoredOptionWarnings } from '../chat/body/ignored-options';
import { toSamplingFields } from '../chat/body/sampling-fields';
import { COMPLETION_FIELDS, getSentMaxTokens } from '../chat/body/generation-fields';
import type { Completion } from '../chat/completion';
import type { ChatSettings } from '../chat/settings';
import { createInputError, createServerError } from '../errors/create-error';
import type { ServerError } from '../errors/server-error';
import type { HttpResponse } from '../http/types';
import { getRoutes } from '../exchange/routes';
import { getProfile } from '../servers/profile';
import { assertWritesText } from '../servers/assert-writes-text';
import { assertModelName } from '../servers/model-names';
import { getOnlyModelWarnings } from '../servers/only-model';
import { collectInputWarnings } from '../servers/truncation';
import type { ModelServer } from '../servers/types/server-type';
import type { ServerTypeName } from '../server-type-name';
import type { JsonRecord } from '../values/records';
import type { TaskSettings } from './run-task';
import { describeDifference, findDifferences } from '../exchange/differences';
import { runTask } from './run-task';

export type CompleteSettings = TaskSettings & Pick<ChatSettings, 'sampling'>;

/** A text, or the IDs of its tokens. */
export type Prompt = string | number[];

export interface CompleteRequest {
	prompt: Prompt;
	/** Called with the text as it arrives. Without it, the request gives way to interactive ones. */
	onDelta?(delta: string): Promise<void>;
}

export interface CompletedText extends Completion {
	/** Undefined if the server was not recognized. */
	server: ServerTypeName | undefined;
	warnings: string[];
}

/**
 * Continues a text.
 *
 * @throws a `ServerError` with the received text in `partialText`.
 */
export async function completeText(
	server: ModelServer,
	settings: CompleteSettings,
	{ prompt, onDelta }: CompleteRequest,
): Promise<CompletedText> {
	const { model, sampling } = settings;
	assertModelName(model);
	const serverType = await getProfile(server).fetchType(settings.signal);
	await assertWritesText(server, model, settings.signal);
	const settingWarnings = [
		...getIgnoredOptionWarnings(sampling, serverType),
		...getContextWarnings(serverType, server, settings),
	];
	let reader: CompletionReader | undefined;
	const { extraBody } = sampling;
	const { value, warnings } = await runTask(server, settings, {
		task: 'complete',
		routes: getRoutes(serverType, 'complete'),
		fields: COMPLETION_FIELDS,
		toBody: (route) =>
			route === 'ollamaGenerate'
				? buildRawOllamaBody(settings, prompt)
				: {
						prompt,
						stream: true,
						stream_options: { include_usage: true },
						...toSamplingFields(sampling, serverType),
						...extraBody,
					},
		extraBody,
		operation: 'text_completion',
		isPreemptible: onDelta === undefined,
		readResponse: async (response, sentBody) => {
			const { secrets } = response.errorContext;
			const maxTokens = getSentMaxTokens(sentBody);
			reader = new CompletionReader({ isRaw: true, secrets, maxTokens });
			return await reader.receive(response, {
				onDelta: ({ text }) => (text ? onDelta?.(text) : undefined),
				findError: (completion) => findError(completion, response),
			});
		},
		getPartialOutput: () => reader?.output,
		getShownLength: () => (onDelta ? (reader?.output.text.length ?? 0) : 0),
		getFacts: () => ({
			task: () => 'completion',
			promptSource: () => 'text',
			hasTokenOption: () => true,
		}),
		getUsage: ({ usage }) => usage ?? {},
	});
	const texts = typeof prompt === 'string' ? [prompt] : [];
	const inputWarnings = await collectInputWarnings(server, {
		texts,
		processedTokens: value.usage?.promptTokens,
		model,
	});
	const { usage, maxTokens } = value;
	const differences = findDifferences('complete', {
		requested: { maxTokens },
		result: {
			reasoning: '',
			completionTokens: usage?.estimated === true ? undefined : usage?.completionTokens,
			hasCalls: false,
		},
	});
	return {
		...value,
		server: getProfile(server).getRecognizedName(),
		warnings: [
			...warnings,
			...differences.map((difference) => describeDifference(difference, serverType.texts)),
			...[describeIgnoredEnd(value.ignoredEnd)].filter((warning) => warning !== undefined),
			...inputWarnings,
			...settingWarnings,
			...getOnlyModelWarnings(server, { requested: model, reported: value.model }),
		],
	};
}

/** Why a completion is no text of a model. */
function findError(
	{ text, finishReason, usage, failure }: Completion,
	response: HttpResponse,
): ServerError | undefined {
	if (failure !== undefined) return createCompletionError(failure, response);
	// Neither text nor why it ended: the response was empty.
	const isNothing = text === '' && finishReason === 'unknown' && usage === undefined;
	return isNothing ? createServerError('streamEndedEarly', response.errorContext) : undefined;
}

/** For Ollama's own route. `raw` skips the chat template of the model. */
function buildRawOllamaBody({ model, sampling }: CompleteSettings, prompt: Prompt): JsonRecord {
	if (typeof prompt !== 'string')
		throw createInputError(
			'This server accepts prompts as text only, not as tokens',
			'Enter the prompt as text.',
		);
	const body = toOllamaBody({ model, messages: [], tools: [], sampling });
	// An unknown token ID in `context` crashes the whole server (seen with 0.17.4).
	const fields = Object.entries(body).filter(([name]) => !['messages', 'context'].includes(name));
	return { prompt, raw: true, truncate: false, ...Object.fromEntries(fields) };
}
