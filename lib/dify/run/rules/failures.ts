import type { FailureKind } from '../../../errors/kinds';

/** What follows from the failure of a stream. */
type NextStep =
	/** The run may go on: it is attached to. */
	| 'attach'
	/** The API restarts, or a proxy cannot reach it; the run goes on in its worker, if Dify has confirmed it. */
	| 'attachIfConfirmed'
	/** The run cannot be attached to, but may have a record. */
	| 'readRecord'
	/** There is no such run, or waiting does not help. */
	| 'end';

/** The stream that failed: the request that starts the run, or an attachment to it. */
interface FailedStream {
	kind: 'send' | 'attach';
}

type Steps = Readonly<Record<FailedStream['kind'], NextStep>>;

const LOST: Steps = { send: 'attach', attach: 'attach' };
const API_AWAY: Steps = { send: 'attach', attach: 'attachIfConfirmed' };
const UNREACHED: Steps = { send: 'end', attach: 'attachIfConfirmed' };
const NO_ATTACHING: Steps = { send: 'end', attach: 'readRecord' };

/** Next steps by failure; after all other failures the observation ends. */
const NEXT_STEPS: Partial<Readonly<Record<FailureKind, Steps>>> = {
	streamEndedEarly: LOST,
	queued: LOST,
	connectionLost: API_AWAY,
	closedBeforeAnswer: API_AWAY,
	gateway: API_AWAY,
	refused: UNREACHED,
	// A run that only its record is left of.
	routeNotFound: NO_ATTACHING,
	runNotFound: NO_ATTACHING,
	notFound: NO_ATTACHING,
	serverError: NO_ATTACHING,
};

function stepAfter(kind: FailureKind, stream: FailedStream): NextStep {
	return NEXT_STEPS[kind]?.[stream.kind] ?? 'end';
}

/** Whether the run may go on although its stream failed. */
export function mayGoOn(
	{ plan, isConfirmed }: { plan: { recovery: string }; isConfirmed: boolean },
	stream: FailedStream,
	kind: FailureKind,
): boolean {
	switch (stepAfter(kind, stream)) {
		case 'attach':
			return true;
		case 'attachIfConfirmed':
			return isConfirmed;
		case 'readRecord':
			return plan.recovery === 'attachOrPoll';
		case 'end':
			return false;
	}
}

/** Whether the API of Dify restarts, or a proxy cannot reach it; the run goes on in its worker. */
export function isApiAway(kind: FailureKind): boolean {
	return NEXT_STEPS[kind]?.attach === 'attachIfConfirmed';
}

/** Whether the failure says that the run cannot be attached to. */
export function forbidsAttaching(kind: FailureKind, stream: FailedStream): boolean {
	return stepAfter(kind, stream) === 'readRecord';
}
