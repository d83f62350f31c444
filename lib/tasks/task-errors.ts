/** Explains errors that several tasks have: a server that lacks a feature, and one that is silent for long. */
import type { ServerError } from '../errors/server-error';
import { getProfile } from '../servers/profile';
import { other } from '../servers/types/other';
import type { ModelServer } from '../servers/types/server-type';
import type { ServerTask } from '../servers/task-advice';
import { describeLackingTask } from '../servers/task-advice';

/** What a task needs of a server. */
export interface RequiredTask {
	server: ModelServer;
	task: ServerTask;
	/** As sent; empty: none. */
	model: string;
}

/**
 * Explains the error of a server that lacks the route of a task or the model, or has a model for another task. Others are
 * returned unchanged.
 */
export async function explainUnsupportedTask(
	error: ServerError,
	{ server, task, model }: RequiredTask,
): Promise<ServerError> {
	// The server type may still be unknown, and Stop must not wait for it.
	if (error.type === 'aborted') return error;
	const serverType = await getProfile(server).getType();
	const { texts, label } = serverType;
	const suggestion = texts.missingModel?.(model);
	if (error.type === 'modelNotFound' && suggestion !== undefined)
		return error.withSuggestion(`Select the model from the list, or ${suggestion}`);
	const isRecognized = serverType !== other;
	const advice = texts.tasks[task];
	if (error.type === 'wrongModelType' && isRecognized && advice.needs === 'model')
		return error.withSuggestion(advice.suggestion);
	if (error.type !== 'routeNotFound' && error.type !== 'featureDisabled') return error;
	// The URL of an unrecognized server may be wrong.
	const urlSuggestion = isRecognized ? '' : 'If other requests fail too, check the Base URL. ';
	const { status } = error;
	const known = { label: isRecognized ? label : undefined, model, advices: texts.tasks, status };
	return error.copyWith({
		type: 'featureDisabled',
		title: describeLackingTask(task, known),
		suggestion: `${urlSuggestion}${advice.suggestion}`,
	});
}

/** Adds how a server accepts longer texts for embeddings or reranking. Other errors are returned unchanged. */
export async function explainLongTexts(
	error: ServerError,
	server: ModelServer,
): Promise<ServerError> {
	if (error.type !== 'promptTooLong') return error;
	const { texts } = await getProfile(server).getType();
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
