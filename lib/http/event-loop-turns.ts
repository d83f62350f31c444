import { setImmediate } from '../vendor';

/**
 * Groups work by turns of the event loop.
 *
 * @returns a function that waits for the next turn: all who wait at the same time continue one after another in it, with
 *   nothing of another kind between them.
 */
export function createTurns(): () => Promise<void> {
	let next: Promise<void> | undefined;
	return async () => {
		next ??= new Promise<void>((resolve) => {
			setImmediate(() => {
				next = undefined;
				resolve();
			});
		});
		await next;
	};
}
