/** Parts of the errors of embeddings and reranking. */
import type { ServerError } from '../errors/server-error';
import { isIdentified, type KindName, kindOf } from '../servers/kinds';
import type { Purpose } from '../servers/purpose';
import type { TooLong } from '../servers/text-refusals';

const SHOWN_CHARACTERS = 80;

/** The beginning of a text, as an error shows it. */
export function startOf(text: string): string {
	return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
}

/** A size and a limit in words, as far as they are known. */
export function sizeInWords({ tokens, limit }: TooLong): { size: string; most: string } {
	return {
		size: tokens === undefined ? '' : ` of ${tokens} tokens`,
		most: limit === undefined ? '' : `, which reads at most ${limit} tokens`,
	};
}

interface ModelOnServer {
	kind: KindName;
	model: string;
}

/** Rewords the refusal of a server that lacks the feature, its route or the model; undefined for other errors. */
export function missingFeature(
	error: ServerError,
	server: ModelOnServer,
	purpose: Purpose,
): ServerError | undefined {
	switch (error.kind) {
		case 'notSupported':
			return notStartedFor(purpose, error, server);
		case 'wrongPath':
			// `rerank/client.ts` explains missing rerank routes.
			return purpose === 'embeddings' ? embeddingsSwitchedOff(error, server.kind) : undefined;
		case 'modelNotFound':
			return missingModel(error, server);
		default:
			return undefined;
	}
}

function notStartedFor(purpose: Purpose, error: ServerError, server: ModelOnServer): ServerError {
	const { words, models } = kindOf(server.kind);
	const remedy = purpose === 'embeddings' ? words.embeddingsOff : words.rerankOff;
	// A server that starts its models itself starts them for what they are made for (Ollama 0.33: 501 for a chat model),
	// and an unknown one may be a gateway to several.
	const isOfModel = models.load !== undefined || !isIdentified(server.kind);
	if (purpose === 'embeddings' && isOfModel)
		return error.reworded({
			kind: 'wrongModelType',
			message: `The model "${server.model}" is not made for embeddings`,
			remedy: `Choose a model that is. ${remedy}`,
		});
	return error.reworded({ message: `The server was not started for ${purpose}`, remedy });
}

/** Known servers have the route, so it is switched off. */
function embeddingsSwitchedOff(error: ServerError, kind: KindName): ServerError | undefined {
	const { words, hasEveryRoute } = kindOf(kind);
	if (!isIdentified(kind) || hasEveryRoute) return undefined;
	return error.reworded({
		kind: 'notSupported',
		message: 'The server has no route for embeddings',
		remedy: words.embeddingsOff,
	});
}

function missingModel(error: ServerError, { kind, model }: ModelOnServer): ServerError | undefined {
	const wayToGetIt = kindOf(kind).words.missingModel?.(model);
	if (wayToGetIt === undefined) return undefined;
	return error.reworded({ remedy: `Choose the model from the list, or ${wayToGetIt}` });
}
