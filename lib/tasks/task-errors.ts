/** Explains errors that several tasks have: a server that lacks a feature, and one that is silent for long. */
import { isOneOf, isUnknownError } from '../errors/error-types';
import type { ServerError } from '../errors/server-error';
import { getProfile } from '../servers/profile';
import { other } from '../servers/types/other';
import type { ModelServer, ServerType } from '../servers/types/server-type';
import type { ServerTask } from '../servers/task-advice';
import { describeLackingTask } from '../servers/task-advice';
import type { TextNoun } from './texts';

/** What a task needs of a server. */
export interface RequiredTask {
	server: ModelServer;
	task: ServerTask;
	/** As sent; empty: none. */
	model: string;
}

/**
 * The route, the feature or the model for a task is missing. Tasks send no images, so a server without images lacks the task
 * ("image generation models are not currently supported", Ollama).
 */
const isLackOfTask = isOneOf('featureDisabled', 'wrongModelType', 'modalityUnsupported');

/** What servers call a task. */
const TASK_WORDS: Readonly<Record<ServerTask, string>> = {
	completion: String.raw`completions?|text generation`,
	embeddings: String.raw`embed(?:dings?)?`,
	rerank: String.raw`rerank(?:ing|ers?)?`,
	images: String.raw`images? generations?|text[- ]to[- ]image`,
	transcription: String.raw`transcri(?:be|bing|ptions?)|speech[- ]to[- ]text|stt|asr`,
	translation: String.raw`translat(?:e|ing|ions?)`,
	speech: String.raw`speech(?: synthesis)?|tts|text[- ]to[- ]speech`,
};

/** What may follow the word for a task; not the name of one of its options. */
const TASK_NOUN = String.raw`['"\x60]?(?: models?| apis?| endpoints?| requests?| backends?)?`;

/** Whether a server says that it, or its model, lacks the task: Infinity ("cannot fullyfill"), LocalAI, gateways. */
function isLackReported({ type, serverText = '' }: ServerError, task: ServerTask): boolean {
	if (!isUnknownError(type)) return false;
	const words = `['"\x60]?(?:${TASK_WORDS[task]})${TASK_NOUN}`;
	const before = String.raw`\b(?:(?:does not|doesn't|do not|cannot|can't|can not) (?:support|fullyfill|fulfil|perform|handle)|no support for|not capable of) (?:the )?${words}(?=[\s.,;:]{0,2}(?:$|[.,;:]|for\b|by\b|with this\b|options\b))`;
	const after = String.raw`\b${words} (?:(?:is|are) )?(?:currently )?(?:not (?:currently )?(?:supported|available|enabled|implemented)|unsupported|disabled)\b`;
	// TEI: "`predict` is not available for embedding models"
	const ofModel = String.raw`\bis not available for \w{1,30} models\b`;
	return new RegExp(`${before}|${after}|${ofModel}`, 'i').test(serverText);
}

/** Whether the server lacks the route, or allows no POST there, whatever it says of it. */
export function isRouteMissing({ type, status = 0 }: ServerError): boolean {
	return type === 'routeNotFound' || (type === 'badRequest' && [404, 405].includes(status));
}

/** Explains the error of a server that lacks the route of a task, or the model. Others are returned unchanged. */
export async function explainUnsupportedTask(
	error: ServerError,
	{ server, task, model }: RequiredTask,
): Promise<ServerError> {
	// The server type may still be unknown, and Stop must not wait for it.
	if (error.type === 'aborted') return error;
	const serverType = await getProfile(server).fetchType();
	const { texts, label } = serverType;
	const suggestion = texts.missingModel?.(model);
	if (error.type === 'modelNotFound' && suggestion !== undefined)
		return error.withSuggestion(`Select the model from the list, or ${suggestion}`);
	const isReported = isLackReported(error, task);
	if (!isLackOfTask(error.type) && !isRouteMissing(error) && !isReported) return error;
	const isRecognized = serverType !== other;
	// The URL of an unrecognized server may be wrong, unless the server itself names the model.
	const isModelNamed = error.type === 'wrongModelType' || isReported;
	const mayBeWrongUrl = !isRecognized && !isModelNamed && error.isServerText !== true;
	const urlSuggestion = mayBeWrongUrl ? 'If other requests fail too, check the Base URL. ' : '';
	const { status } = error;
	const lacking = { model, advices: texts.tasks, status, isModelNamed };
	const known = { ...lacking, label: isRecognized ? label : undefined };
	return error.copyWith({
		type: 'featureDisabled',
		title: describeLackingTask(task, known),
		suggestion:
			suggestUpstreamStart(error, serverType) ?? `${urlSuggestion}${texts.tasks[task].suggestion}`,
	});
}

/** llama-server names the option that it lacks. */
const MISSING_OPTION = /\bstart it with ['"`]?(--[a-z][a-z-]{1,40})/i;

/** A gateway that passes on such a sentence has the model already: the server behind it lacks the option. */
function suggestUpstreamStart(
	{ serverText = '' }: ServerError,
	{ isGateway, label }: ServerType,
): string | undefined {
	const option = MISSING_OPTION.exec(serverText)?.[1];
	return isGateway === true && option !== undefined
		? `Start the server behind ${label} with ${option} and a model for it, or select a model of another server.`
		: undefined;
}

/** What an error about a missing output says. */
export interface NoOutputTexts {
	title: string;
	suggestion: string;
}

/** vLLM-Omni, stable-diffusion.cpp, mlx-audio, Chatterbox */
const NO_OUTPUT =
	/\bno (?:audio|images?|output|results?|speech)\b(?: \w{1,20}){0,2} (?:generated|produced|returned|created)\b|\b(?:generated|generation|returned|produced|resulted in)\b(?: \w{1,20}){0,2} (?:no|empty) (?:audio|images?|output|results?)\b|\bempty (?:audio|image|output)\b/i;

/** Explains the error of a server that says itself that nothing came out; undefined if it is about something else. */
export function explainNoOutput(error: ServerError, texts: NoOutputTexts): ServerError | undefined {
	const { type, serverText = '' } = error;
	if (!isUnknownError(type) || !NO_OUTPUT.test(serverText)) return undefined;
	return error.copyWith({
		...texts,
		type: 'emptyResponse',
		detail: `${texts.title}: ${serverText.trim()}`,
	});
}

const SMALLER_BATCHES =
	'Lower "Batch Size", or split the texts into smaller parts. Or raise the limit of the server (text-embeddings-inference: --payload-limit) or of the proxy in front of it (nginx: client_max_body_size).';

/** Adds how a server accepts longer texts for embeddings or reranking, or a smaller request. Other errors are unchanged. */
export async function explainLongTexts(
	error: ServerError,
	server: ModelServer,
	noun: TextNoun['noun'],
): Promise<ServerError> {
	if (error.type === 'requestTooLarge') return error.withSuggestion(SMALLER_BATCHES);
	if (error.type !== 'promptTooLong') return error;
	const { texts } = await getProfile(server).fetchType();
	const suggestion = `Split documents into smaller chunks, or set the option Long ${noun}s to Truncate. ${texts.longerTexts ?? ''}`;
	return error.withSuggestion(suggestion.trim());
}

/** Explains the first-token timeout of a server that sends nothing while it processes an image or a recording. */
export function explainFirstTokenTimeout(error: ServerError): ServerError {
	if (error.type !== 'firstTokenTimeout' || error.facts.queued === true) return error;
	return error.copyWith({
		title: 'The server did not start to respond within the First Token Timeout',
		suggestion:
			'It sends nothing while it processes an image or a recording: raise "First Token Timeout" (0 = no limit), request less at a time, or run Server Health to see whether it is busy or stuck.',
	});
}
