import { setImmediate } from '../vendor';

/** Lets n8n's other work run between two steps that may be long. A permit of the queue stays acquired. */
export async function yieldToEventLoop(): Promise<void> {
	await new Promise<void>((resolve) => setImmediate(resolve));
}
