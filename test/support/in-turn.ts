import type { Step } from '../servers/llama-server';
import { gate } from './gate';

/**
 * Steps of a reply of which the server sends one, and the next only after `next` was called. So a reader that shows each
 * piece at once gets them apart, however slow the machine is; one that waits for the end waits forever.
 */
export function inTurn(...texts: Step[]): { steps: Step[]; next: () => void } {
	const gates = texts.map(() => gate());
	const steps = texts.flatMap((text, index) => [text, { wait: gates[index]!.wait }]);
	let shown = 0;
	return { steps, next: () => gates[shown++]?.open() };
}
