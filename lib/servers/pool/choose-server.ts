import type { Connection } from '../../http/connection';
import type { StreamOptions } from '../../http/types';
import { areSlotsUnknown, knownSlots, learnSlots, occupy, runningAt } from '../occupancy';
import { beginProbe, endProbe, cooldownEndsAt, cooldownReason } from './cooldowns';
import { byPreference } from './sticky';
import { LruCache } from '../../lru-cache';

/** A server of a pool. */
export interface Member {
	/** With the queue of the credential in front of it. */
	queued: Connection;
	/** Without it, for who has a place. */
	direct: Connection;
	modelNamed(asked: string): string;
	/** Models have names of their own there. */
	hasOwnNames: boolean;
}

/** A server to send a request to, with a place there. */
export interface Turn {
	member: Member;
	/** Gives the place back; calling it twice is harmless. */
	release(): void;
}

export interface ChoiceOptions extends Pick<StreamOptions, 'signal' | 'limits'> {
	/** The name of the model, as the node asks for it. */
	model: string;
	/** What for: a model that cannot chat may embed. */
	use: string;
	/** What stays the same in every round of a conversation. Without it the least busy server is taken. */
	conversation?: string;
}

type ModelAndUse = Pick<ChoiceOptions, 'model' | 'use'>;

/** Under which names failures of a server are remembered: those of all of it, and those of one use of a model. */
export function restKeys({ queued }: Member, { model, use }: ModelAndUse): [server: string, model: string] {
	return [queued.id, `${queued.id} ${use} ${model}`];
}

/** Why a server rests. */
export function whyItRests(member: Member, asked: ModelAndUse) {
	return restKeys(member, asked)
		.map(cooldownReason)
		.find((why) => why !== undefined);
}

/**
 * Chooses a server and takes a place there: of those that do not rest, the one that the conversation prefers, or the
 * least busy one. A server whose places are taken gives way to one with a free place; where none is free, the first one
 * that becomes free is taken. Where all rest, the one whose rest ends first is tried anyway.
 *
 * @throws {ServerError} where no place became free in time, or the request was cancelled
 */
export async function chooseServer(members: readonly Member[], options: ChoiceOptions): Promise<Turn> {
	const { model, conversation } = options;
	for (;;) {
		const well = members.filter((member) => whyItRests(member, options) === undefined);
		const among = well.length > 0 ? inOrder(well, conversation) : [firstOutOfCooldown(members, options)];
		const [preferred] = among as [Member];
		const free = among.find(hasRoom);
		if (conversation !== undefined && among.length > 1 && free !== preferred && isWorthAsking(preferred.queued)) {
			// With more slots than it was taken to have, it has room for the conversation.
			await learnSlots(preferred.queued, preferred.modelNamed(model));
			continue;
		}
		if (free !== undefined) return await firstPlace([free], options);
		if (preferred.queued.maxConcurrentRequests > 0) return await firstPlace(among, options);
		return await firstPlace([leastBusy(among)], options);
	}
}

function inOrder(members: readonly Member[], conversation: string | undefined): Member[] {
	if (conversation !== undefined) return byPreference(conversation, members, ({ queued }) => queued.url.api);
	return [...members].sort((one, other) => shareOf(one) - shareOf(other) || lastUse(one) - lastUse(other));
}

function firstOutOfCooldown(members: readonly Member[], asked: ModelAndUse): Member {
	const backAt = (member: Member) => Math.max(...restKeys(member, asked).map(cooldownEndsAt));
	return members.reduce((soonest, member) => (backAt(member) < backAt(soonest) ? member : soonest));
}

/** Requests that may be with the server at once. Of a server that tells nothing, one: a second one may have to wait. */
function placesOf({ queued }: Member): number {
	return queued.maxConcurrentRequests > 0 ? queued.maxConcurrentRequests : (knownSlots(queued) ?? 1);
}

function hasRoom(member: Member): boolean {
	return runningAt(member.queued) < placesOf(member);
}

function shareOf(member: Member): number {
	return runningAt(member.queued) / placesOf(member);
}

function leastBusy(members: readonly Member[]): Member {
	return members.reduce((least, member) => (shareOf(member) < shareOf(least) ? member : least));
}

function isWorthAsking(connection: Connection): boolean {
	return connection.maxConcurrentRequests === 0 && areSlotsUnknown(connection);
}

/** When each server was chosen last: those that are equally busy take turns. */
const uses = LruCache.shared<number>();
let turns = 0;

function lastUse({ queued }: Member): number {
	return uses.get(queued.url.api) ?? 0;
}

/** A place at the first of the servers that has one. */
async function firstPlace(members: readonly Member[], options: ChoiceOptions): Promise<Turn> {
	const { limits, signal, model } = options;
	// Counted before the first wait: others choose at the same moment.
	const [only] = members.length === 1 ? members : [];
	const counted = only === undefined ? undefined : occupy(only.queued);
	if (only !== undefined) restKeys(only, options).forEach(beginProbe);
	const enough = new AbortController();
	const stop = () => enough.abort();
	if (signal?.aborted === true) stop();
	signal?.addEventListener('abort', stop, { once: true });
	const entering = members.map(async (member) => {
		const leave = await member.queued.enter({ limits, signal: enough.signal, about: { model } });
		return { member, leave };
	});
	try {
		const { member, leave } = await Promise.any(entering);
		for (const other of entering)
			void other.then(
				(entered) => (entered.member === member ? undefined : entered.leave()),
				() => undefined,
			);
		if (only === undefined) restKeys(member, options).forEach(beginProbe);
		uses.set(member.queued.url.api, ++turns);
		const release = counted ?? occupy(member.queued);
		return {
			member,
			release: () => {
				leave();
				release();
			},
		};
	} catch (error) {
		counted?.();
		if (only !== undefined) restKeys(only, options).forEach(endProbe);
		throw error instanceof AggregateError ? error.errors[0] : error;
	} finally {
		stop();
		signal?.removeEventListener('abort', stop);
	}
}
