import type { Connection } from '../http/connection';
import type { CallOptions } from '../http/types';
import { finiteNumber, recordOf, recordsIn } from '../values';
import type { ServerWords } from './kinds/kind';
import { optionalJson } from './optional-json';

/** What a server says of the context that its slots share (docs/protocols/llama-server.md 2). */
interface ContextFacts {
	/** Number of slots. */
	slots?: number;
	/** Tokens that the model was trained to read: a larger context is cut to this. */
	trained?: number;
}

/** Reads them from `/props` and the list of models; what a server does not say is missing. */
export async function readContextFacts(
	connection: Connection,
	model: string,
	options: CallOptions,
): Promise<ContextFacts> {
	const listPath = connection.url.api.slice(connection.url.root.length) + '/models';
	const [props, list] = await Promise.all([
		optionalJson(connection, '/props', options),
		optionalJson(connection, listPath, options),
	]);
	return { slots: finiteNumber(props?.total_slots), trained: trainedContext(list, model) };
}

/**
 * How a model gets a context of so many tokens, or that it cannot use them.
 *
 * @param needed tokens of the prompt; `contextSize`: with room for the answer
 */
export function moreContext(
	words: ServerWords,
	{ needed, contextSize, slots, trained }: ContextFacts & { needed: number; contextSize: number },
): string {
	return trained !== undefined && needed >= trained
		? `This model reads at most ${trained} tokens, so a larger context does not help: choose a model that reads more.`
		: words.moreContext(contextSize, slots);
}

/** Of the model with this ID, or of the only one. */
function trainedContext(list: unknown, model: string): number | undefined {
	const models = recordsIn(recordOf(list).data);
	const listed = models.find(({ id }) => id === model) ?? (models.length === 1 ? models[0] : {});
	return finiteNumber(recordOf(listed?.meta).n_ctx_train);
}
