/** Explains errors that several tasks have: a server that lacks a feature, and one that is silent for long. */
import type { ServerError } from '../errors/server-error';
import { getProfile } from '../servers/profile';
import { other } from '../servers/types/other';
import type { ModelServer } from '../servers/types/server-type';

/** What servers cannot do, as text after "cannot". The server type has the suggestion for each. */
const FEATURES = {
	completion: 'complete text',
	embeddings: 'create embeddings',
	rerank: 'rerank',
	images: 'generate images',
	transcription: 'transcribe audio',
	translation: 'translate audio',
	speech: 'speak',
};

/** What a task needs of a server. */
export interface RequiredFeature {
	server: ModelServer;
	feature: keyof typeof FEATURES;
	model: string;
	/** Continues the title "vLLM cannot transcribe audio", for example with " with this model". Default: nothing. */
	suffix?: string;
}

/** Explains the error of a server that lacks the route of a feature, or the model. Others are returned unchanged. */
export async function explainUnsupportedRoute(
	error: ServerError,
	{ server, feature, model, suffix = '' }: RequiredFeature,
): Promise<ServerError> {
	const serverType = await getProfile(server).getType();
	const { texts, label } = serverType;
	const suggestion = texts.missingModel?.(model);
	if (error.type === 'modelNotFound' && suggestion !== undefined)
		return error.withSuggestion(`Select the model from the list, or ${suggestion}`);
	if (error.type !== 'routeNotFound' && error.type !== 'featureDisabled') return error;
	const isRecognized = serverType !== other;
	// The URL of an unrecognized server may be wrong.
	const urlSuggestion = isRecognized ? '' : 'If other requests fail too, check the Base URL. ';
	return error.copyWith({
		type: 'featureDisabled',
		title: `${isRecognized ? label : 'The server'} cannot ${FEATURES[feature]}${suffix}`,
		suggestion: `${urlSuggestion}${texts[feature]}`,
	});
}

/** Explains the error of a server that was started for another task, or for shorter texts. */
export async function explainUnsupportedTask(
	error: ServerError,
	required: RequiredFeature & { feature: 'embeddings' | 'rerank' },
): Promise<ServerError> {
	const { server, feature } = required;
	// The server type may still be unknown, and Stop must not wait for it.
	if (error.type === 'aborted') return error;
	const { texts } = await getProfile(server).getType();
	if (error.type === 'promptTooLong')
		return error.withSuggestion(`${error.suggestion} ${texts.longerTexts ?? ''}`.trim());
	if (error.type !== 'featureDisabled') return await explainUnsupportedRoute(error, required);
	return error.copyWith({
		title: `The server was not started for ${feature === 'rerank' ? 'reranking' : feature}`,
		suggestion: texts[feature],
	});
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
