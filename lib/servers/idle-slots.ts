/**
 * Batches in n8n's queue mode. There each process has queues of its own, so all together would send a server more than
 * it has slots, and persons would wait behind batches inside the server. So a batch looks at the slots before it goes.
 */
import { clock } from '../clock';
import type { Connection } from '../http/connection';
import { enterQueue, type PlaceRequest } from '../http/queue';
import { PATIENCE_MS } from '../http/scheduler';
import { pauseFor } from '../http/waiting';
import { LruCache } from '../lru-cache';
import { env } from '../vendor';
import { knownServerKind } from './identify';
import { kindOf } from './kinds';
import type { SlotAbilities, SlotUse } from './kinds/model-abilities';

const LOOK_LIMIT_MS = 1_000;
/** Least time between two looks of one process. */
const PAUSE_MS = 100;

/** By API URL. All waiting batches share a look, and each takes one of its idle slots. */
const looks = LruCache.shared<SlotUse>({ ttlMs: PAUSE_MS });
/** Servers that did not tell. */
const silent = LruCache.shared<true>({ ttlMs: 60_000 });
/** Servers that a person used. For that time batches leave one of several slots to the next person. */
const usedByPersons = LruCache.shared<true>({ ttlMs: 60_000 });

/**
 * In queue mode, lets a batch wait until its server has an idle slot, for a minute at most. The promise rejects with the
 * reason of the signal, as soon as that aborts.
 *
 * @returns undefined for other requests, and for servers that are not known to tell of their slots
 */
export function waitForIdleSlot(
	connection: Connection,
	request: PlaceRequest,
	model?: string,
): Promise<void> | undefined {
	if (env.EXECUTIONS_MODE !== 'queue') return undefined;
	const { api } = connection.url;
	if (request.priority === 'person') usedByPersons.set(api, true);
	if (request.priority !== 'batch' || silent.has(api)) return undefined;
	const kind = knownServerKind(connection, model);
	const look = kind && kindOf(kind).slots?.look;
	return look && takeTurn(connection, look, request);
}

type Look = NonNullable<SlotAbilities['look']>;

/** One batch after the other waits at the head of the line for an idle slot. */
async function takeTurn(
	connection: Connection,
	look: Look,
	{ signal, place }: PlaceRequest,
): Promise<void> {
	const from = clock.now();
	const leave = await enterQueue(`idle slot ${connection.url.api}`, 1, { signal });
	try {
		const until = clock.now() + PATIENCE_MS;
		while (clock.now() < until && !(await takeIdleSlot(connection, look, signal)))
			await pauseFor(PAUSE_MS, signal);
	} finally {
		leave();
	}
	place?.enter(clock.now() - from, false);
}

/** @returns false if the server has no slot for a batch */
async function takeIdleSlot(
	connection: Connection,
	look: Look,
	signal: AbortSignal | undefined,
): Promise<boolean> {
	const { api } = connection.url;
	const slots = looks.get(api) ?? (await newLook(connection, look));
	signal?.throwIfAborted();
	if (slots === undefined) return true;
	const spare = usedByPersons.has(api) && slots.total > 1 ? 1 : 0;
	if (slots.idle <= spare) return false;
	slots.idle--;
	return true;
}

async function newLook(connection: Connection, look: Look): Promise<SlotUse | undefined> {
	const { api } = connection.url;
	const slots = await look(connection.withoutQueue(), LOOK_LIMIT_MS);
	if (slots === undefined) silent.set(api, true);
	else looks.set(api, slots);
	return slots;
}
