// What clients' errors say: each wraps Kafka's error in its own way.

/** What a rejection says, with what lies below it (clients wrap). */
export async function errorText(refused: Promise<unknown>): Promise<string> {
  const error = await refused.then(
    () => new Error('it was not refused'),
    (thrown: Error) => thrown,
  )
  return texts(error).join('; ')
}

function texts(error: Error & { errors?: readonly Error[]; apiId?: string; type?: string }): readonly string[] {
  return [
    `${error.message} ${error.apiId ?? ''} ${error.type ?? ''}`,
    ...(error.errors ?? []).flatMap(texts),
    ...(error.cause instanceof Error ? texts(error.cause) : []),
  ]
}
