import { sendChatMessage } from '../../../lib/dify/run/send-chat-message';
import type { ChatMessageRequest } from '../../../lib/dify/run/send-chat-message';
import type { DifyClient } from '../../../lib/dify/client';
import { createDifyClient } from '../../../lib/dify/credentials';
import type { DifyAppMode } from '../../../lib/dify/types';
import { appKey, startDifySim } from '../../simulators/dify';
import type { AppSpec, DifySim, DifySimOptions } from '../../simulators/dify';
import { useSimulator } from '../../simulators/use-simulator';

/** A simulator that ends with its test. */
export const startSim: (options?: DifySimOptions | undefined) => Promise<DifySim> =
	useSimulator(startDifySim);

/** A simulator with one app, whose key is the default one of its mode. */
export async function startApp(
	app: Omit<AppSpec, 'key'>,
	options: DifySimOptions = {},
): Promise<DifySim> {
	return await startSim({ ...options, apps: [{ key: appKey(app.mode), ...app }] });
}

/** A real client with the credential of a simulated app. */
export function createClient(
	sim: Pick<DifySim, 'url'>,
	mode: DifyAppMode = 'chat',
	data: Record<string, string> = {},
): DifyClient {
	return createDifyClient({ baseUrl: sim.url, apiKey: appKey(mode), keyType: 'app', ...data });
}

/** Sends a message with the real client. */
export async function sendMessage(
	client: DifyClient,
	overrides: Partial<ChatMessageRequest> = {},
): ReturnType<typeof sendChatMessage> {
	const conversation = { type: 'new' } as const;
	return await sendChatMessage(client, {
		...{ query: 'hi', user: 'u1', conversation, inputs: {} },
		...overrides,
	});
}

/** Number of requests to a route. */
export function countRequests(sim: DifySim, path: string | RegExp, method = 'POST'): number {
	return sim.requests.filter(
		(request) =>
			request.method === method &&
			(typeof path === 'string' ? request.path === path : path.test(request.path)),
	).length;
}

export const UNKNOWN_ID = '11111111-2222-4333-8444-555555555555';
