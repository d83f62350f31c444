import { atAnyServer, type Work } from '../../lib/servers/manage/any-server';
import type { LlamaCall } from './operation';

/** Asks one of the servers about the model of an item. */
export async function askOfModel<T>(call: LlamaCall, work: Work<T>): Promise<T> {
	return await atAnyServer(call, call.parameters.name('model'), work);
}
