import type { Connection } from '../../http/connection';
import type { StreamOptions } from '../../http/types';
import { areSlotsUnknown, learnSlots, occupy, runningAt } from '../occupancy';
import { beginProbe, endProbe, cooldownEndsAt, cooldownReason } from './cooldowns';
import { byPreference } from './sticky';
import { LruCache } from '../../lru-cache';
import { largestOf } from '../../values';

/** A server of a pool. */
export interface Member {
	/** Requests wait in the credential's queue. */
	queued: Connection;
	/** Without the queue, for a caller that has a place in it. */
	direct: Connection;
	modelNamed(asked: string): string;
	/** Whether models have other names there. */
	hasOwnNames: boolean;
}

/** A chosen server, with a place in its queue. */
export interface ChosenServer {
	member: Member;
	/** Frees the place; calling it twice is harmless. */
	release(): void;
}

export interface ChoiceOptions
	extends Pick<StreamOptions, 'signal' | 'limits' | 'priority' | 'place'> {
	/** The model's name as the node requests it. */
	model: string;
	/** The use, part of the key for cool-downs: a model that cannot chat may embed. */
	use: string;
	/** A key of the conversation, the same in every turn. Without it, the least busy server is chosen. */
	conversation?: string;
}

type ModelAndUse = Pick<ChoiceOptions, 'model' | 'use'>;

/** Keys for cool-downs: of the whole server, and of one use of a model on it. */
export function cooldownKeys(
	{ queued }: Member,
	{ model, use }: ModelAndUse,
): [server: string, model: string] {
	return [queued.id, `${queued.id} ${use} ${model}`];
}

/** The failure for which a server is cooling down; undefined if it may be asked. */
export function cooldownOf(member: Member, asked: ModelAndUse) {
	return cooldownKeys(member, asked)
		.map(cooldownReason)
		.find((why) => why !== undefined);
}

/**
 * Chooses a server and takes a place in its queue: of the servers that are not cooling down, the conversation's
 * preferred one, or the least busy. If that one is full, the next with a free place is taken; if all are full, the
 * first that becomes free. If all are cooling down, the one whose cool-down ends first is tried.
 *
 * @throws {ServerError} if no place became free in time, or the request was cancelled
 */
export async function chooseServer(
	members: readonly Member[],
	options: ChoiceOptions,
): Promise<ChosenServer> {
	const { model, conversation } = options;
	for (;;) {
		const well = members.filter((member) => cooldownOf(member, options) === undefined);
		const among =
			well.length > 0 ? inOrder(well, conversation) : [firstOutOfCooldown(members, options)];
		const [preferred] = among as [Member];
		const free = among.find(hasRoom);
		const isPassedOver = conversation !== undefined && among.length > 1 && free !== preferred;
		if (isPassedOver && isWorthAsking(preferred.queued)) {
			// It may have more slots than assumed, and so room for the conversation.
			await learnSlots(preferred.queued, preferred.modelNamed(model));
			continue;
		}
		if (free !== undefined) return await placeAt(free, options);
		const isQueued = preferred.queued.capacity !== undefined && among.length > 1;
		return isQueued ? await firstPlace(among, options) : await placeAt(leastBusy(among), options);
	}
}

function inOrder(members: readonly Member[], conversation: string | undefined): Member[] {
	if (conversation !== undefined)
		return byPreference(conversation, members, ({ queued }) => queued.url.api);
	return [...members].sort(
		(one, other) => shareOf(one) - shareOf(other) || lastUse(one) - lastUse(other),
	);
}

function firstOutOfCooldown(members: readonly Member[], asked: ModelAndUse): Member {
	const backAt = (member: Member) => largestOf(cooldownKeys(member, asked).map(cooldownEndsAt));
	return members.reduce((soonest, member) => (backAt(member) < backAt(soonest) ? member : soonest));
}

/** Requests that the server takes at once. 1 if unknown: a second one might have to wait. */
function capacityOf({ queued }: Member): number {
	return queued.capacity ?? 1;
}

function hasRoom(member: Member): boolean {
	return runningAt(member.queued) < capacityOf(member);
}

function shareOf(member: Member): number {
	return runningAt(member.queued) / capacityOf(member);
}

function leastBusy(members: readonly Member[]): Member {
	return members.reduce((least, member) => (shareOf(member) < shareOf(least) ? member : least));
}

function isWorthAsking(connection: Connection): boolean {
	return connection.maxConcurrentRequests === 0 && areSlotsUnknown(connection);
}

/** When each server was last chosen, so that equally busy ones take turns. */
const lastChosen = LruCache.shared<number>();
let choiceCount = 0;

function lastUse({ queued }: Member): number {
	return lastChosen.get(queued.url.api) ?? 0;
}

/** Waits for a place at a server. */
async function placeAt(member: Member, options: ChoiceOptions): Promise<ChosenServer> {
	// Counted before the first await: others may be choosing at the same moment.
	const release = occupy(member.queued);
	const cooldowns = cooldownKeys(member, options);
	cooldowns.forEach(beginProbe);
	const entering = enter(member, options, options.signal);
	entering.catch(() => {
		release();
		cooldowns.forEach(endProbe);
	});
	return turnAt(member, await entering, release);
}

/** Takes a place at the first of several servers that has one free. */
async function firstPlace(
	members: readonly Member[],
	options: ChoiceOptions,
): Promise<ChosenServer> {
	const waiting = new AbortController();
	const stop = () => waiting.abort();
	if (options.signal?.aborted === true) stop();
	options.signal?.addEventListener('abort', stop, { once: true });
	const entering = members.map(async (member) => {
		const leave = await enter(member, options, waiting.signal);
		return { member, leave };
	});
	try {
		const { member, leave } = await Promise.any(entering);
		leaveOthers(entering, member);
		cooldownKeys(member, options).forEach(beginProbe);
		return turnAt(member, leave, occupy(member.queued));
	} catch (error) {
		throw error instanceof AggregateError ? error.errors[0] : error;
	} finally {
		stop();
		options.signal?.removeEventListener('abort', stop);
	}
}

async function enter(
	{ queued }: Member,
	{ limits, model, priority, place }: ChoiceOptions,
	signal: AbortSignal | undefined,
): Promise<() => void> {
	return await queued.enter({ limits, signal, about: { model }, priority, place });
}

/** Gives back the places that several servers had free at the same moment. */
function leaveOthers(
	entering: ReadonlyArray<Promise<{ member: Member; leave: () => void }>>,
	chosen: Member,
): void {
	for (const other of entering)
		void other.then(
			({ member, leave }) => (member === chosen ? undefined : leave()),
			() => undefined,
		);
}

function turnAt(member: Member, leave: () => void, release: () => void): ChosenServer {
	lastChosen.set(member.queued.url.api, ++choiceCount);
	return {
		member,
		release: () => {
			leave();
			release();
		},
	};
}
