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

/** Rewords the refusal of a server that lacks the feature, its route or the model; undefined for other errors. */
export function missingFeature(
	error: ServerError,
	{ kind, model }: { kind: KindName; model: string },
	purpose: Purpose,
): ServerError | undefined {
	const { words, models, hasEveryRoute } = kindOf(kind);
	const remedy = purpose === 'embeddings' ? words.embeddingsOff : words.rerankOff;
	// A server that starts its models itself starts them for what they are made for (Ollama 0.33: 501 for a chat model).
	if (error.kind === 'notSupported' && models.load !== undefined && purpose === 'embeddings')
		return error.reworded({
			kind: 'wrongModelType',
			message: `The model "${model}" is not made for ${purpose}`,
			remedy: `Choose a model that is. ${remedy}`,
		});
	if (error.kind === 'notSupported')
		return error.reworded({ message: `The server was not started for ${purpose}`, remedy });
	// Known servers have the route, so it is switched off. `rerank/client.ts` explains missing rerank routes.
	const isSwitchedOff = isIdentified(kind) && !hasEveryRoute;
	if (error.kind === 'wrongPath' && isSwitchedOff && purpose === 'embeddings')
		return error.reworded({
			kind: 'notSupported',
			message: 'The server has no route for embeddings',
			remedy,
		});
	if (error.kind !== 'modelNotFound' || words.missingModel === undefined) return undefined;
	return error.reworded({
		remedy: `Choose the model from the list, or ${words.missingModel(model)}`,
	});
}
