import { buildConnector, type Pool, type Readable } from '../vendor';

type Connect = NonNullable<Pool.Options['connect']>;

/** Decides whether a socket is read. */
export type PausableSocket = ReturnType<typeof pausable>;

let opened: PausableSocket | undefined;

/** The socket that was opened for the request that begins now; undefined for a kept connection. */
export const openedSocket = () => opened;

/**
 * Connects with sockets that can be paused. undici's own pause is not used: if the connection breaks meanwhile, it throws
 * where nobody can catch it, and Node goes on reading.
 */
export function pausableSockets(connect: Connect) {
	const open = typeof connect === 'function' ? connect : buildConnector(connect);
	return ((target, done) =>
		open(target, (...made) => {
			opened = made[1] ? pausable(made[1]) : undefined;
			// undici begins the request in this call.
			done(...made);
			opened = undefined;
		})) satisfies Connect;
}

function pausable(socket: Pick<Readable, '_read'>) {
	const { _read: read } = socket;
	let isPaused = false;
	let held = () => {};
	socket._read = (size) => {
		if (isPaused) held = () => read.call(socket, size);
		else read.call(socket, size);
	};
	return {
		pause: () => void (isPaused = true),
		resume: () => {
			isPaused = false;
			held();
			held = () => {};
		},
	};
}
