import type { Connection } from '../../http/connection';
import type { Adapter, ModelQuestion } from '../kinds/work';
import { abilityFor } from './ability';

const WHAT = 'route for adapters';

/** @throws {ServerError} */
export async function listAdapters(connection: Connection, ask: ModelQuestion): Promise<Adapter[]> {
	const adapters = await abilityFor(connection, ask, WHAT, (kind) => kind.adapters);
	return await adapters.list(connection, ask);
}

/**
 * Sets the scales of the adapters for all requests of all users; adapters that are not named get 0.
 *
 * @returns the adapters afterwards
 * @throws {ServerError}
 */
export async function setAdapters(
	connection: Connection,
	scales: ReadonlyArray<{ id: number; scale: number }>,
	ask: ModelQuestion,
): Promise<Adapter[]> {
	const adapters = await abilityFor(connection, ask, WHAT, (kind) => kind.adapters);
	return await adapters.set(connection, scales, ask);
}
