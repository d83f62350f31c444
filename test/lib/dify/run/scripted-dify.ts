/** A Dify whose streams and records a test writes event by event. */
import type * as http from 'node:http';
import type { DifyClient } from '../../../../lib/dify/client';
import { createDifyClient } from '../../../../lib/dify/credentials';
import { openStream, send } from '../../../guarantees/support/responses';
import { useServers } from '../../../support/servers/scripted-server';
import type { Answer, Routes, ScriptedServer } from '../../../support/servers/scripted-server';

export const RUN = '11111111-2222-4333-8444-555555555555';
export const TASK = '99999999-2222-4333-8444-555555555555';
export const IDS: {
	conversation_id: string;
	message_id: string;
	task_id: string;
	created_at: number;
} = { conversation_id: 'c', message_id: 'm', task_id: TASK, created_at: 1 };
const FLOW = { ...IDS, workflow_run_id: RUN };

/** Events by their usual content. */
export const events: {
	text: (answer: string) => {
		answer: string;
		conversation_id: string;
		message_id: string;
		task_id: string;
		created_at: number;
		event: string;
	};
	thought: (thought: string) => {
		id: string;
		thought: string;
		conversation_id: string;
		message_id: string;
		task_id: string;
		created_at: number;
		event: string;
	};
	messageEnd: {
		metadata: {};
		conversation_id: string;
		message_id: string;
		task_id: string;
		created_at: number;
		event: string;
	};
	started: {
		data: {
			id: string;
		};
		workflow_run_id: string;
		conversation_id: string;
		message_id: string;
		task_id: string;
		created_at: number;
		event: string;
	};
	flowText: (answer: string) => {
		answer: string;
		workflow_run_id: string;
		conversation_id: string;
		message_id: string;
		task_id: string;
		created_at: number;
		event: string;
	};
	flowEnd: {
		metadata: {};
		workflow_run_id: string;
		conversation_id: string;
		message_id: string;
		task_id: string;
		created_at: number;
		event: string;
	};
	finished: (
		status?: string,
		data?: object,
	) => {
		data: {
			id: string;
			status: string;
		};
		workflow_run_id: string;
		conversation_id: string;
		message_id: string;
		task_id: string;
		created_at: number;
		event: string;
	};
} = {
	text: (
		answer: string,
	): {
		answer: string;
		conversation_id: string;
		message_id: string;
		task_id: string;
		created_at: number;
		event: string;
	} => ({ event: 'message', ...IDS, answer }),
	thought: (
		thought: string,
	): {
		id: string;
		thought: string;
		conversation_id: string;
		message_id: string;
		task_id: string;
		created_at: number;
		event: string;
	} => ({ event: 'agent_thought', ...IDS, id: 'a1', thought }),
	messageEnd: { event: 'message_end', ...IDS, metadata: {} },
	started: { event: 'workflow_started', ...FLOW, data: { id: RUN } },
	flowText: (
		answer: string,
	): {
		answer: string;
		workflow_run_id: string;
		conversation_id: string;
		message_id: string;
		task_id: string;
		created_at: number;
		event: string;
	} => ({ event: 'message', ...FLOW, answer }),
	flowEnd: { event: 'message_end', ...FLOW, metadata: {} },
	finished: (
		status = 'succeeded',
		data: object = {},
	): {
		data: {
			id: string;
			status: string;
		};
		workflow_run_id: string;
		conversation_id: string;
		message_id: string;
		task_id: string;
		created_at: number;
		event: string;
	} => ({
		event: 'workflow_finished',
		...FLOW,
		data: { id: RUN, status, ...data },
	}),
};

/** A stream of these events. It ends after them, breaks off, or stays open. */
export const stream =
	(
		list: object[],
		how: 'end' | 'break' | 'open' = 'end',
		onOpen: (response: http.ServerResponse) => void = () => {},
	): Answer =>
	(_request, response) => {
		openStream(response);
		send(response, ...(list as Array<Record<string, unknown>>));
		onOpen(response);
		if (how === 'end') response.end();
		if (how === 'break') response.write(': ', () => response.destroy());
	};

/** Call at the top of a suite. */
export function useDify() {
	const start = useServers();
	return async (
		routes: Routes,
		signal?: AbortSignal,
	): Promise<{
		server: ScriptedServer;
		client: DifyClient;
	}> => {
		const server = await start(routes);
		const client: DifyClient = createDifyClient({ baseUrl: `${server.url}/v1` }).withSignal(signal);
		return { server, client };
	};
}
