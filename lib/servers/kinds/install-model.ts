/** Installing and deleting models at `/v1/models/ID`, as speaches does. */
import type { Connection } from '../../http/connection';
import { pathOfModel } from '../model-names';
import type { ModelQuestion, Pulled, PullOptions } from './work';

const REMOVE_LIMIT_MS = 60_000;

/** Waits for one request: 201 after installing, or 200 if the model was already there. */
export async function installModel(connection: Connection, options: PullOptions): Promise<Pulled> {
	const { model, signal, idleMs } = options;
	const url = `${connection.url.api}/models/${pathOfModel(model)}`;
	const answer = await connection.call(url, { method: 'POST', timeoutMs: idleMs, signal });
	if (answer.status >= 500)
		throw connection.refusal(answer, { model }).reworded({
			kind: 'serverError',
			message: `The server could not download the model "${model}"`,
			remedy:
				'Check the name, and that the server reaches Hugging Face: without internet, put the model into its cache. Its log says more.',
		});
	if (answer.status >= 300) throw connection.refusal(answer, { model });
	return { state: 'success', changed: answer.status === 201 };
}

export async function uninstallModel(
	connection: Connection,
	{ model, signal }: ModelQuestion,
): Promise<void> {
	const url = `${connection.url.api}/models/${pathOfModel(model)}`;
	await connection.accepted(url, {
		method: 'DELETE',
		timeoutMs: REMOVE_LIMIT_MS,
		signal,
		about: { model },
	});
}
