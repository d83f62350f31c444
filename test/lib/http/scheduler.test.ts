import fc from 'fast-check';

import {
	PATIENCE_MS,
	PRIORITIES,
	type Priority,
	Scheduler,
	type Waiting,
} from '../../../lib/http/scheduler';
import { examples } from '../../support/properties';

interface Named extends Waiting {
	name: string;
}

const named = (name: string, priority: Priority, user = ''): Named => ({ name, priority, user });

/** The names in the order of their turns. */
function turns(scheduler: Scheduler<Named>, now = 0): string[] {
	return Array.from({ length: scheduler.length }, () => scheduler.next(now)!.name);
}

function filled(requests: readonly Named[], now = 0): Scheduler<Named> {
	const scheduler = new Scheduler<Named>();
	for (const request of requests) scheduler.add(request, now);
	return scheduler;
}

describe('Scheduler', () => {
	test('the most urgent class goes first, and within one who came first', () => {
		const scheduler = filled([
			named('batch 1', 'batch'),
			named('agent 1', 'agent'),
			named('batch 2', 'batch'),
			named('person', 'person'),
			named('agent 2', 'agent'),
			named('check', 'check'),
		]);
		expect(turns(scheduler)).toEqual([
			'check',
			'person',
			'agent 1',
			'agent 2',
			'batch 1',
			'batch 2',
		]);
		expect(scheduler.next(0)).toBeUndefined();
	});

	test('persons take turns, so that one with many questions does not stop the others', () => {
		const scheduler = filled([
			named('ann 1', 'person', 'ann'),
			named('ann 2', 'person', 'ann'),
			named('ann 3', 'person', 'ann'),
			named('bob 1', 'person', 'bob'),
			named('eve 1', 'person', 'eve'),
			named('bob 2', 'person', 'bob'),
		]);
		expect(turns(scheduler)).toEqual(['ann 1', 'bob 1', 'eve 1', 'ann 2', 'bob 2', 'ann 3']);
	});

	test('agents and batches do not take turns', () => {
		const scheduler = filled([
			named('one', 'batch', 'ann'),
			named('two', 'batch', 'ann'),
			named('three', 'batch', 'bob'),
		]);
		expect(turns(scheduler)).toEqual(['one', 'two', 'three']);
	});

	test('a class that waited a minute gets one turn', () => {
		const scheduler = filled([named('batch 1', 'batch'), named('batch 2', 'batch')]);
		for (let at = 1; at <= 3; at++) scheduler.add(named(`person ${at}`, 'person'), PATIENCE_MS - 1);
		expect(scheduler.next(PATIENCE_MS - 1)?.name).toBe('person 1');
		expect(scheduler.next(PATIENCE_MS)?.name).toBe('batch 1');
		expect(scheduler.next(PATIENCE_MS)?.name).toBe('person 2');
		expect(scheduler.next(2 * PATIENCE_MS - 1)?.name).toBe('person 3');
		expect(scheduler.next(2 * PATIENCE_MS)?.name).toBe('batch 2');
	});

	test('of two such classes, the one that waited longer goes first', () => {
		const scheduler = filled([named('agent', 'agent')], 5);
		scheduler.add(named('batch', 'batch'), 0);
		expect(turns(scheduler, 2 * PATIENCE_MS)).toEqual(['batch', 'agent']);
	});

	test('a request that was taken out gets no turn', () => {
		const [gone, left] = [named('gone', 'person', 'ann'), named('left', 'person', 'ann')];
		const scheduler = filled([gone, left]);
		expect([scheduler.remove(gone), scheduler.remove(gone)]).toEqual([true, false]);
		expect([scheduler.length, scheduler.waiting('person'), scheduler.waiting('batch')]).toEqual([
			1, 1, 0,
		]);
		expect(turns(scheduler)).toEqual(['left']);
	});

	const event = fc.record({
		act: fc.constantFrom('add', 'add', 'next', 'next', 'remove'),
		priority: fc.constantFrom(...PRIORITIES),
		user: fc.constantFrom('ann', 'bob', 'eve'),
		passedMs: fc.integer({ min: 0, max: 20_000 }),
		which: fc.nat(),
	});

	test('whatever comes: each gets one turn, users of a class in order, urgent classes first, and no class waits on', () => {
		fc.assert(
			fc.property(fc.array(event, { minLength: 50, maxLength: 300 }), (events) => {
				const scheduler = new Scheduler<Named>();
				const waiting: Named[] = [];
				const waitsSince = new Map<Priority, number>();
				let now = 0;
				let count = 0;
				const of = (priority: Priority) => waiting.filter((one) => one.priority === priority);
				const patient = (priority: Priority) => now - waitsSince.get(priority)! < PATIENCE_MS;
				for (const { act, priority, user, passedMs, which } of events) {
					now += passedMs;
					if (act === 'add') {
						if (of(priority).length === 0) waitsSince.set(priority, now);
						const request = named(String(count++), priority, user);
						waiting.push(request);
						scheduler.add(request, now);
					} else if (act === 'remove' && waiting.length > 0) {
						const [gone] = waiting.splice(which % waiting.length, 1);
						expect(scheduler.remove(gone!)).toBe(true);
					} else if (act === 'next') {
						const present = PRIORITIES.filter((one) => of(one).length > 0);
						const chosen = scheduler.next(now);
						expect(chosen === undefined).toBe(waiting.length === 0);
						if (chosen === undefined) continue;
						const isOvertaken = waiting.find(
							(one) =>
								one.priority === chosen.priority &&
								(one.priority !== 'person' || one.user === chosen.user),
						);
						expect(isOvertaken).toBe(chosen);
						const impatient = present.filter((one) => !patient(one));
						if (impatient.length === 0) expect(chosen.priority).toBe(present[0]);
						else expect(impatient).toContain(chosen.priority);
						waiting.splice(waiting.indexOf(chosen), 1);
						waitsSince.set(chosen.priority, now);
					}
					expect(scheduler.length).toBe(waiting.length);
				}
			}),
			examples(200),
		);
	});

	test('a batch of one among any number of persons is served within a minute and one turn', () => {
		fc.assert(
			fc.property(fc.integer({ min: 1, max: 30_000 }), (turnMs) => {
				const scheduler = filled([named('batch', 'batch')]);
				for (let now = 0; ; now += turnMs) {
					scheduler.add(named('person', 'person'), now);
					if (scheduler.next(now)?.name !== 'batch') continue;
					expect(now).toBeLessThan(PATIENCE_MS + turnMs);
					return;
				}
			}),
			examples(100),
		);
	});

	test('among persons, nobody gets a second turn while another user waits for a first', () => {
		const requests = fc.array(fc.constantFrom('ann', 'bob', 'eve', 'kim'), { maxLength: 60 });
		fc.assert(
			fc.property(requests, (users) => {
				const scheduler = filled(users.map((user, at) => named(String(at), 'person', user)));
				const left = new Map<string, number>();
				for (const user of users) left.set(user, (left.get(user) ?? 0) + 1);
				const had = new Map<string, number>();
				while (scheduler.length > 0) {
					const user = scheduler.next(0)!.user;
					left.set(user, left.get(user)! - 1);
					had.set(user, (had.get(user) ?? 0) + 1);
					for (const [other, count] of left)
						if (count > 0) expect(had.get(user)! - (had.get(other) ?? 0)).toBeLessThanOrEqual(1);
				}
			}),
			examples(200),
		);
	});
});
