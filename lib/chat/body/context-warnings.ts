/** The warning about a context size for which the server loads the model again. */
import type { ModelServer, ServerType } from '../../servers/types/server-type';
import { getProfile } from '../../servers/profile';
import { asFiniteNumber } from '../../values/numbers';
import type { CompletionRequest } from '../completion';
import { buildOptionsAndFields } from './ollama-options';

/** A warning if the model is loaded again for the context size of this request. */
export function getContextWarnings(
	serverType: ServerType,
	server: ModelServer,
	{ model, sampling }: Pick<CompletionRequest, 'model' | 'sampling'>,
): string[] {
	const size = asFiniteNumber(buildOptionsAndFields(sampling).options.num_ctx);
	if (!serverType.routes?.chat || size === undefined) return [];
	const name = model.trim().replace(/:latest$/i, '');
	const previousSize = getProfile(server).replaceContextSize(name, size);
	if (previousSize === undefined || previousSize === size) return [];
	return [
		`This request runs the model with a context of ${size} tokens, and an earlier one did with ${previousSize}. ${serverType.label} loads the model again for each change, so set the same Context Size in all nodes.`,
	];
}
