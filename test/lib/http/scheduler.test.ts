import fc from 'fast-check';

import { PATIENCE_MS, type Priority, Scheduler, type Waiting } from '../../../lib/http/queue';
import { examples } from '../../support/properties';

interface Named extends Waiting {
	name: string;
}

const PRIORITIES: readonly Priority[] = ['person', 'batch'];

const named = (name: string, priority: Priority): Named => ({ name, priority });

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
			named('person 1', 'person'),
			named('batch 2', 'batch'),
			named('person 2', 'person'),
		]);
		expect(turns(scheduler)).toEqual(['person 1', 'person 2', 'batch 1', 'batch 2']);
		expect(scheduler.next(0)).toBeUndefined();
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
		const scheduler = filled([named('person', 'person')], 5);
		scheduler.add(named('batch', 'batch'), 0);
		expect(turns(scheduler, 2 * PATIENCE_MS)).toEqual(['batch', 'person']);
	});

	test('a request that was taken out gets no turn', () => {
		const [gone, left] = [named('gone', 'person'), named('left', 'person')];
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
		passedMs: fc.integer({ min: 0, max: 20_000 }),
		which: fc.nat(),
	});

	test('whatever comes: each gets one turn, those of a class in order, urgent classes first, and no class waits on', () => {
		fc.assert(
			fc.property(fc.array(event, { minLength: 50, maxLength: 300 }), (events) => {
				const scheduler = new Scheduler<Named>();
				const waiting: Named[] = [];
				const waitsSince = new Map<Priority, number>();
				let now = 0;
				let count = 0;
				const of = (priority: Priority) => waiting.filter((one) => one.priority === priority);
				const patient = (priority: Priority) => now - waitsSince.get(priority)! < PATIENCE_MS;
				for (const { act, priority, passedMs, which } of events) {
					now += passedMs;
					if (act === 'add') {
						if (of(priority).length === 0) waitsSince.set(priority, now);
						const request = named(String(count++), priority);
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
						expect(of(chosen.priority)[0]).toBe(chosen);
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
});
