/**
 * Batches in n8n's queue mode. There each process has queues of its own, so all together would send a server more than
 * it has slots, and persons would wait behind batches inside the server. So a batch looks at the slots before it goes.
 * Where one slot is left to persons, it also names the slot that it saw idle: if batches of two processes take the same
 * one, the server lets the second wait for it, and does not give it the slot of persons (docs/protocols/llama-server.md
 * 7.2).
 */
import { clock } from '../clock';
import type { Connection } from '../http/connection';
import { enterQueue, type PlaceRequest, queueWithBatch, type RequestQueue } from '../http/queue';
import { PATIENCE_MS } from '../http/scheduler';
import { pauseFor } from '../http/waiting';
import { LruCache } from '../lru-cache';
import { env } from '../vendor';
import { askServerKind, knownServerKind } from './identify';
import { kindOf } from './kinds';
import type { SlotAbilities, SlotUse } from './kinds/model-abilities';

const LOOK_LIMIT_MS = 1_000;
/** A person waits no longer for a look. */
const PERSON_LOOK_LIMIT_MS = 250;
/** Least time between two looks of one process. */
const PAUSE_MS = 100;

/** By API URL. All waiting batches share a look, and each takes one of its idle slots. */
const looks = LruCache.shared<SlotUse>({ ttlMs: PAUSE_MS });
/** Servers that did not tell. */
const silent = LruCache.shared<true>({ ttlMs: 60_000 });
/** Servers that a person used. For that time batches leave one of several slots to the next person. */
const usedByPersons = LruCache.shared<true>({ ttlMs: 60_000 });

/**
 * In queue mode, lets a batch wait until its server has an idle slot, for a minute at most. For a person who finds none,
 * a batch of this process gives its place up. The promise rejects with the reason of the signal, as soon as that aborts.
 *
 * @returns undefined where nothing has to be done
 */
export function waitForIdleSlot(
	connection: Connection,
	request: PlaceRequest,
	model?: string,
): Promise<void> | undefined {
	if (env.EXECUTIONS_MODE !== 'queue') return undefined;
	const { api } = connection.url;
	const { priority } = request;
	if (priority === 'person') usedByPersons.set(api, true);
	if (silent.has(api)) return undefined;
	if (priority === 'batch') return holdBatch(connection, request, model);
	return priority === 'person' ? makeRoom(connection, model) : undefined;
}

type Look = NonNullable<SlotAbilities['look']>;

async function holdBatch(
	connection: Connection,
	request: PlaceRequest,
	model: string | undefined,
): Promise<void> {
	const { signal } = request;
	const known = knownServerKind(connection, model);
	const kind = known ?? (await askServerKind(connection, model, { signal }));
	const look = kindOf(kind).slots?.look;
	if (look !== undefined) await takeTurn(connection, look, request);
}

function makeRoom(connection: Connection, model: string | undefined): Promise<void> | undefined {
	const kind = knownServerKind(connection, model);
	const look = kind && kindOf(kind).slots?.look;
	const queue = look && queueWithBatch(connection.id);
	return queue && giveUpIfFull(queue, look, connection);
}

async function giveUpIfFull(queue: RequestQueue, look: Look, connection: Connection) {
	const slots = await look(connection.withoutQueue(), PERSON_LOOK_LIMIT_MS);
	if (slots?.idle.length === 0) queue.giveUpBatch();
}

/** One batch after the other waits at the head of the line for an idle slot. */
async function takeTurn(
	connection: Connection,
	look: Look,
	{ signal, place }: PlaceRequest,
): Promise<void> {
	const from = clock.now();
	const { api } = connection.url;
	const leave = await enterQueue(`idle slot ${api}`, 1, { signal });
	const choice = await untilIdle(connection, look, signal).finally(leave);
	if (place === undefined) return;
	place.slot = typeof choice === 'number' ? { api, id: choice } : undefined;
	place.enter(clock.now() - from, false);
}

/** The slot for a batch: the one with this number, any, or none because no more are idle. */
type SlotChoice = number | 'any' | 'none';

/** @returns `none` after a minute */
async function untilIdle(
	connection: Connection,
	look: Look,
	signal: AbortSignal | undefined,
): Promise<SlotChoice> {
	const until = clock.now() + PATIENCE_MS;
	for (;;) {
		const choice = await chooseSlot(connection, look);
		signal?.throwIfAborted();
		if (choice !== 'none' || clock.now() >= until) return choice;
		await pauseFor(PAUSE_MS, signal);
	}
}

async function chooseSlot(connection: Connection, look: Look): Promise<SlotChoice> {
	const { api } = connection.url;
	const slots = looks.get(api) ?? (await newLook(connection, look));
	if (slots === undefined) return 'any';
	return takeSlot(slots, usedByPersons.has(api));
}

/**
 * Takes an idle slot. One of several is left to persons, and the last one of the server is never named.
 *
 * @param slots the others that this process may still take
 */
export function takeSlot({ total, idle }: SlotUse, hasPersons: boolean): SlotChoice {
	const leavesOne = hasPersons && total > 1;
	if (idle.length <= (leavesOne ? 1 : 0)) return 'none';
	const lowest = idle.shift()!;
	return leavesOne ? lowest : 'any';
}

async function newLook(connection: Connection, look: Look): Promise<SlotUse | undefined> {
	const { api } = connection.url;
	const slots = await look(connection.withoutQueue(), LOOK_LIMIT_MS);
	if (slots === undefined) silent.set(api, true);
	else looks.set(api, slots);
	return slots;
}
