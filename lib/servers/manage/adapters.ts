/** The LoRA adapters of llama-server (docs/protocols/llama-server.md 2.12). */
import { failure, invalidInput } from '../../errors/failure';
import type { Connection } from '../../http/connection';
import { finiteNumber, isRecord, nonEmptyText, optional } from '../../values';
import { LlamaServerRoutes, type NativeRouteOptions } from './llama-server-routes';

const WHAT = 'route for adapters';

export interface Adapter {
	id: number;
	path?: string;
	scale: number;
	taskName?: string;
	promptPrefix?: string;
}

/** @throws {ServerError} */
export async function listAdapters(
	connection: Connection,
	ask: NativeRouteOptions,
): Promise<Adapter[]> {
	return await adaptersOf(await LlamaServerRoutes.of(connection, ask, WHAT));
}

async function adaptersOf(routes: LlamaServerRoutes): Promise<Adapter[]> {
	const answer = await routes.get('/lora-adapters');
	if (!Array.isArray(answer.json))
		throw failure('invalidAnswer', routes.context, {
			message: 'The answer of the server is not a list of adapters',
			remedy: 'Check that the Base URL leads to llama-server.',
			serverText: answer.text,
		});
	return (answer.json as unknown[]).filter(isRecord).flatMap((entry) => {
		const [id, scale] = [finiteNumber(entry.id), finiteNumber(entry.scale)];
		if (id === undefined || scale === undefined) return [];
		const [path, taskName, promptPrefix] = [entry.path, entry.task_name, entry.prompt_prefix].map(
			nonEmptyText,
		);
		return [{ id, scale, ...optional({ path, taskName, promptPrefix }) }];
	});
}

/** Tolerance: the server stores scales as 32-bit floats. */
const CLOSE = 1e-4;

/**
 * Sets the scales of the adapters for all requests of all users; adapters that are not named get 0. The server reports
 * success even for adapters that it does not have (seen: v0.5.0), so the list is read before and afterwards.
 *
 * @returns the adapters afterwards
 * @throws {ServerError}
 */
export async function setAdapters(
	connection: Connection,
	scales: ReadonlyArray<{ id: number; scale: number }>,
	ask: NativeRouteOptions,
): Promise<Adapter[]> {
	const routes = await LlamaServerRoutes.of(connection, ask, WHAT);
	const known = await adaptersOf(routes);
	const missing = scales
		.filter(({ id }) => !known.some((one) => one.id === id))
		.map(({ id }) => id);
	if (missing.length > 0)
		throw invalidInput(
			`The server has no adapter ${missing.join(', ')}`,
			known.length === 0
				? 'It has none. Start llama-server with --lora FILE.'
				: `It has: ${known.map(({ id, path }) => (path === undefined ? String(id) : `${id} (${path})`)).join(', ')}.`,
			{ facts: { adapters: known.map(({ id }) => id) } },
		);
	await routes.change(
		'/lora-adapters',
		scales.map(({ id, scale }) => ({ id, scale })),
	);
	const now = await adaptersOf(routes);
	const wanted = (id: number) => scales.findLast((one) => one.id === id)?.scale ?? 0;
	const wrong = now.find(({ id, scale }) => Math.abs(scale - wanted(id)) > CLOSE);
	if (wrong === undefined) return now;
	throw failure('serverError', routes.context, {
		message: `The server did not set adapter ${wrong.id}: its scale is ${wrong.scale}, not ${wanted(wrong.id)}`,
		remedy:
			'It said success all the same. Somebody else may have set the adapters at the same time: try again.',
		facts: { adapters: now },
	});
}
