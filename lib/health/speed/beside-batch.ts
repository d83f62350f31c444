import type { Connection } from '../../http/connection';
import { Place } from '../../http/place';
import { pauseFor } from '../../http/waiting';
import { learnSlots } from '../../servers/occupancy';
import { measureOnce, type SpeedOptions } from './measure';

const CHATS = 20;
const PAUSE_MS = 250;
/** Items at once, as many as Local Llama does in one go. */
const ITEMS_AT_ONCE = 16;

/** Milliseconds from a person's question to the first token, waiting in n8n's queue included. */
interface FirstTokens {
	p50: number;
	/** Of so few chats, the slowest. */
	p99: number;
}

/** What a chat feels; null where a chat failed, or its first token is not to be seen. */
export interface BesideBatch {
	alone: FirstTokens | null;
	besideBatch: FirstTokens | null;
}

/**
 * Chats one after another, alone and then beside a batch, both in the credential's queue as from other nodes.
 *
 * @throws {ServerError} only of kind `aborted`
 */
export async function measureBesideBatch(
	connection: Connection,
	options: SpeedOptions,
): Promise<BesideBatch> {
	await learnSlots(connection, options.model);
	const alone = await chats(connection, options);
	const stop = new AbortController();
	const lanes = Array.from({ length: ITEMS_AT_ONCE }, async () => {
		await keepGenerating(connection, { ...options, priority: 'batch' }, stop.signal);
	});
	try {
		return { alone, besideBatch: await chats(connection, options) };
	} finally {
		stop.abort();
		await Promise.all(lanes);
	}
}

async function chats(connection: Connection, options: SpeedOptions): Promise<FirstTokens | null> {
	const times: number[] = [];
	while (times.length < CHATS) {
		// What ends the pause ends the chat too, with a better error.
		await pauseFor(PAUSE_MS, options.signal).catch(() => undefined);
		const outcome = await measureOnce(connection, { ...options, priority: 'person' });
		if ('failed' in outcome) {
			if (outcome.failed.kind === 'aborted') throw outcome.failed;
			return null;
		}
		const { firstTokenMs, queuedMs } = outcome.sample;
		if (firstTokenMs === null) return null;
		times.push(queuedMs + firstTokenMs);
	}
	times.sort((one, other) => one - other);
	return { p50: times[CHATS / 2 - 1]!, p99: times[CHATS - 1]! };
}

/** A lane of the batch, until it is stopped or the server fails. */
async function keepGenerating(
	connection: Connection,
	options: SpeedOptions,
	stop: AbortSignal,
): Promise<void> {
	let hasFailed = false;
	while (!stop.aborted && !hasFailed) {
		const place = new Place(true);
		const signal = place.begin(stop);
		const outcome = await measureOnce(connection, { ...options, place, signal });
		hasFailed = 'failed' in outcome && !place.wasGivenUp;
	}
}
