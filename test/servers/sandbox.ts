/**
 * A stand-in for n8n's sandbox service, in which n8n's AI Assistant runs commands and keeps files: the routes that n8n
 * 2.41.1 asked. It isolates nothing, so only commands that a test wrote may reach it.
 */
import { listen } from '../support/listening';
import { childProcess, fs, http, path, process } from '../support/node';
import { parseObject } from '../../lib/json';

export interface Sandbox {
	url: string;
	/** The commands that were run, in order. */
	commands: string[];
	close(): Promise<void>;
}

interface Call {
	route: string;
	/** Path of a file. */
	file: string;
	body: Buffer;
	response: http.ServerResponse;
}

const send = (response: http.ServerResponse, status: number, body: unknown = {}) => {
	response.writeHead(status, { 'content-type': 'application/json' });
	response.end(JSON.stringify(body));
};

/** Starts a service with one sandbox, whose home is `folder`. */
export async function startSandbox(folder: string): Promise<Sandbox> {
	const commands: string[] = [];

	const run = ({ body, response }: Call) => {
		const {
			command,
			workdir,
			exec_id: id,
		} = parseObject(body.toString()) as Record<string, string>;
		commands.push(command!);
		let seq = 0;
		const event = (fields: object) =>
			response.write(`${JSON.stringify({ seq: seq++, ...fields })}\n`);
		response.writeHead(200, { 'content-type': 'application/x-ndjson' });
		event({ type: 'started', exec_id: id });
		const child = childProcess.spawn('/bin/sh', ['-c', command!], {
			cwd: workdir ?? folder,
			env: { ...process.env, NODE_ENV: undefined, HOME: folder },
		});
		child.stdout.on('data', (data: Buffer) => event({ type: 'stdout', data: data.toString() }));
		child.stderr.on('data', (data: Buffer) => event({ type: 'stderr', data: data.toString() }));
		child.on('close', (code) => {
			event({
				type: 'exit',
				exit_code: code ?? 1,
				success: code === 0,
				execution_time_ms: 1,
				timed_out: false,
				killed: false,
			});
			response.end();
		});
	};

	const routes: Record<string, (call: Call) => void> = {
		'POST executions': run,
		'PUT files': ({ file, body, response }) => {
			fs.writeFileSync(file, body);
			send(response, 200);
		},
		'GET files/content': ({ file, response }) => {
			if (!fs.existsSync(file)) return send(response, 404, { error: 'file not found', code: 404 });
			response.writeHead(200);
			response.end(fs.readFileSync(file));
		},
		'POST mkdir': ({ file, response }) => {
			fs.mkdirSync(file, { recursive: true });
			send(response, 201);
		},
	};

	const server = http.createServer((incoming, response) => {
		const pieces: Buffer[] = [];
		incoming.on('data', (piece: Buffer) => pieces.push(piece));
		incoming.on('end', () => {
			const url = new URL(incoming.url!, 'http://sandbox');
			const [, , id, ...rest] = url.pathname.split('/');
			const route = `${incoming.method} ${rest.join('/')}`;
			const body = Buffer.concat(pieces);
			const answer = routes[route];
			if (answer !== undefined)
				return answer({ route, file: url.searchParams.get('path') ?? folder, body, response });
			if (incoming.method === 'DELETE') return send(response, 200);
			if (rest.length > 0) return send(response, 404, { error: `no route ${route}`, code: 404 });
			const name = id ?? parseObject(body.toString())?.id;
			send(response, 201, { id: name, status: 'running', created_at: 0, last_active_at: 0 });
		});
	});
	fs.mkdirSync(path.join(folder, 'workspace'), { recursive: true });
	const port = await listen(server);
	return {
		url: `http://127.0.0.1:${port}`,
		commands,
		close: async () => {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
		},
	};
}
