/** Waiting for running answers before a model is unloaded. */
import { seconds } from '../../../errors/remedies';
import type { ServerError } from '../../../errors/server-error';
import type { Connection } from '../../../http/connection';
import { recordsIn } from '../../../values';
import { metricsOf } from '../../metrics';
import { CALL_MS } from '../../offered-models';
import { pollUntil } from '../../poll';
import type { ChangeOptions, ModelAction } from '../work';
import { isBusySlot } from './slots';

/**
 * Waits until no answer is running, since a router kills the process of a model in the middle of its answers (seen:
 * v0.5.0: a stream just ends, other requests get 500). @returns false if the server shows neither slots nor metrics
 *
 * @param urlOf the URL of one of llama-server's own routes for the model
 */
export async function waitForRunningAnswers(
	connection: Connection,
	urlOf: (path: string) => string,
	options: ChangeOptions,
): Promise<boolean> {
	const { model, wait, limitMs } = options;
	const url = connection.url.root;
	let running: number | undefined;
	const look = async () => {
		running = await answersRunning(connection, urlOf, options);
		return running === undefined || running === 0 ? running === 0 : undefined;
	};
	const seen = await look();
	if (seen !== undefined) return seen;
	const busy = (message: string, remedy: string) =>
		connection.failure('busy', { url, model, message, remedy, facts: { running } });
	if (!wait)
		throw busy(
			`The model "${model}" is answering ${requests(running)}, which unloading it would cut off`,
			'Switch on Wait Until Done, so that the answers come to their end first, or unload it later. Cut Off Answers unloads it now.',
		);
	return await pollUntil(options, look, () =>
		busy(
			`The model "${model}" is still answering ${requests(running)} after ${seconds(limitMs)}, so it was not unloaded`,
			'Raise the time limit of the node, or stop what asks the model. Unloading it now would cut the answers off; Cut Off Answers does so.',
		),
	);
}

function requests(count = 0): string {
	return `${count} ${count === 1 ? 'request' : 'requests'}`;
}

/** Requests that a model works on or has queued; undefined if unknown. */
async function answersRunning(
	connection: Connection,
	urlOf: (path: string) => string,
	{ signal }: ChangeOptions,
): Promise<number | undefined> {
	const ask = async (path: string) => {
		const answer = await connection.call(urlOf(path), { timeoutMs: CALL_MS, signal });
		return answer.status < 300 ? answer : undefined;
	};
	const metrics = metricsOf((await ask('/metrics'))?.text ?? '');
	const processing = metrics['llamacpp:requests_processing'];
	if (processing !== undefined) return processing + (metrics['llamacpp:requests_deferred'] ?? 0);
	const slots = (await ask('/slots'))?.json;
	return Array.isArray(slots) ? recordsIn(slots).filter(isBusySlot).length : undefined;
}

/** The error for a model that did not reach the wanted state within the limit. */
export function tooSlow(
	connection: Connection,
	action: ModelAction,
	url: string,
	{ model, limitMs }: ChangeOptions,
): ServerError {
	const remedy = 'Raise the time limit of the node. ';
	return connection.failure('loading', {
		url,
		model,
		about: { limitMs },
		...(action === 'load'
			? { remedy: `${remedy}Large models on slow disks take minutes.` }
			: {
					message: `The model "${model}" is still in memory after ${seconds(limitMs)}`,
					remedy: `${remedy}A model that is answering stays until it has answered.`,
				}),
	});
}
