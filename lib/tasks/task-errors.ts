/** Explains errors that several tasks have: a server that lacks a feature, and one that is silent for long. */
import { isOneOf } from '../errors/error-types';
import type { ServerError } from '../errors/server-error';
import { getProfile } from '../servers/profile';
import { other } from '../servers/types/other';
import type { ModelServer, ServerType } from '../servers/types/server-type';
import type { ServerTask } from '../servers/task-advice';
import { describeLackingTask } from '../servers/task-advice';

/** What a task needs of a server. */
export interface RequiredTask {
	server: ModelServer;
	task: ServerTask;
	/** As sent; empty: none. */
	model: string;
}

/** The route, the feature or the model for a task is missing. */
const isLackOfTask = isOneOf('routeNotFound', 'featureDisabled', 'wrongModelType');

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
	if (!isLackOfTask(error.type)) return error;
	const isRecognized = serverType !== other;
	// The URL of an unrecognized server may be wrong, unless the server itself names the model.
	const isModelNamed = error.type === 'wrongModelType';
	const mayBeWrongUrl = !isRecognized && !isModelNamed;
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

const SMALLER_BATCHES =
	'Lower "Batch Size", or split the texts into smaller parts. Or raise the limit of the server (text-embeddings-inference: --payload-limit) or of the proxy in front of it (nginx: client_max_body_size).';

/** Adds how a server accepts longer texts for embeddings or reranking, or a smaller request. Other errors are unchanged. */
export async function explainLongTexts(
	error: ServerError,
	server: ModelServer,
): Promise<ServerError> {
	if (error.type === 'requestTooLarge') return error.withSuggestion(SMALLER_BATCHES);
	if (error.type !== 'promptTooLong') return error;
	const { texts } = await getProfile(server).fetchType();
	return error.withSuggestion(`${error.suggestion} ${texts.longerTexts ?? ''}`.trim());
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
