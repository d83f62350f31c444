/** The LoRA adapters of llama-server (docs/protocols/llama-server.md 2.12). */
import { failure, invalidInput } from '../../../errors/failure';
import { finiteNumber, nonEmptyText, optional, recordsIn } from '../../../values';
import type { AdapterAbilities } from '../model-abilities';
import type { Adapter } from '../work';
import { type Addressing, LlamaRoutes } from './routes';

const WHAT = 'route for adapters';

/** Adapters of a server whose models are addressed like this. */
export function adaptersOf(addressing: Addressing): AdapterAbilities {
	return {
		list: async (connection, ask) =>
			await readAdapters(new LlamaRoutes(connection, addressing, ask, WHAT)),
		set: async (connection, scales, ask) =>
			await setScales(new LlamaRoutes(connection, addressing, ask, WHAT), scales),
	};
}

async function readAdapters(routes: LlamaRoutes): Promise<Adapter[]> {
	const answer = await routes.get('/lora-adapters');
	if (!Array.isArray(answer.json))
		throw failure('invalidAnswer', routes.context, {
			message: 'The answer of the server is not a list of adapters',
			remedy: 'Check that the Base URL leads to llama-server.',
			serverText: answer.text,
		});
	return recordsIn(answer.json).flatMap((entry) => {
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
async function setScales(
	routes: LlamaRoutes,
	scales: ReadonlyArray<{ id: number; scale: number }>,
): Promise<Adapter[]> {
	requireAdapters(scales, await readAdapters(routes));
	await routes.change(
		'/lora-adapters',
		scales.map(({ id, scale }) => ({ id, scale })),
	);
	const now = await readAdapters(routes);
	const scaleOf = (id: number) => scales.findLast((one) => one.id === id)?.scale ?? 0;
	const wrong = now.find(({ id, scale }) => Math.abs(scale - scaleOf(id)) > CLOSE);
	if (wrong === undefined) return now;
	throw failure('serverError', routes.context, {
		message: `The server did not set adapter ${wrong.id}: its scale is ${wrong.scale}, not ${scaleOf(wrong.id)}`,
		remedy:
			'It said success all the same. Somebody else may have set the adapters at the same time: try again.',
		facts: { adapters: now },
	});
}

/** @throws {ServerError} of kind `invalidInput` */
function requireAdapters(scales: ReadonlyArray<{ id: number }>, known: readonly Adapter[]): void {
	const ids = scales.map(({ id }) => id);
	const missing = ids.filter((id) => !known.some((one) => one.id === id));
	if (missing.length === 0) return;
	const names = known.map(({ id, path }) => (path === undefined ? String(id) : `${id} (${path})`));
	throw invalidInput(
		`The server has no adapter ${missing.join(', ')}`,
		names.length === 0
			? 'It has none. Start llama-server with --lora FILE.'
			: `It has: ${names.join(', ')}.`,
		{ facts: { adapters: known.map(({ id }) => id) } },
	);
}
